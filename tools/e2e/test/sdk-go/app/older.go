//go:build older

package main

import (
	"github.com/dapr/go-sdk/client"
	"github.com/dapr/go-sdk/service/common"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Methods that only the older generation has.
var generationCalls = calls{
	"RenameActorReminder": refused(func(s *scene) error {
		return s.RenameActorReminder(s.ctx, &client.RenameActorReminderRequest{ActorType: "t", ActorID: "1", OldName: "o", NewName: "n"})
	}),

	"GrpcClient": func(s *scene) {
		metadata, err := s.GrpcClient().GetMetadata(s.ctx, &emptypb.Empty{})
		must(err)
		equal(metadata.GetId(), "own")
	},
}

func withDeadLetters(subscription common.Subscription) common.Subscription { return subscription }

func addGenerationHandlers(common.Service) error { return nil }
