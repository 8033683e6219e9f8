package main

import (
	"github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
)

// What the sidecar does not have yet: it says so.
func refused(attempt func(s *scene) error) call {
	return func(s *scene) { fails(attempt(s), codes.Unimplemented, "") }
}

var unbuiltCalls = calls{
	"RegisterActorTimer": refused(func(s *scene) error {
		return s.RegisterActorTimer(s.ctx, &client.RegisterActorTimerRequest{ActorType: "t", ActorID: "1", Name: "n", DueTime: "1s", Period: "1s", CallBack: "c"})
	}),
	"UnregisterActorTimer": refused(func(s *scene) error {
		return s.UnregisterActorTimer(s.ctx, &client.UnregisterActorTimerRequest{ActorType: "t", ActorID: "1", Name: "n"})
	}),
	"RegisterActorReminder": refused(func(s *scene) error {
		return s.RegisterActorReminder(s.ctx, &client.RegisterActorReminderRequest{ActorType: "t", ActorID: "1", Name: "n", DueTime: "1s", Period: "1s"})
	}),
	"UnregisterActorReminder": refused(func(s *scene) error {
		return s.UnregisterActorReminder(s.ctx, &client.UnregisterActorReminderRequest{ActorType: "t", ActorID: "1", Name: "n"})
	}),
	"InvokeActor": refused(func(s *scene) error {
		_, err := s.InvokeActor(s.ctx, &client.InvokeActorRequest{ActorType: "t", ActorID: "1", Method: "m"})
		return err
	}),
	"GetActorState": refused(func(s *scene) error {
		_, err := s.GetActorState(s.ctx, &client.GetActorStateRequest{ActorType: "t", ActorID: "1", KeyName: "k"})
		return err
	}),
	"SaveStateTransactionally": refused(func(s *scene) error {
		return s.SaveStateTransactionally(s.ctx, "t", "1", []*client.ActorStateOperation{{OperationType: "upsert", Key: "k", Value: []byte("1")}})
	}),
}
