//go:build !older

package main

import (
	"context"
	"sync/atomic"

	"github.com/dapr/go-sdk/client"
	"github.com/dapr/go-sdk/service/common"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Methods that only the newer generation has.
var generationCalls = calls{
	"GetMetadata": func(s *scene) {
		metadata, err := s.GetMetadata(s.ctx)
		must(err)
		equal(metadata.ID, "own")
		types := map[string]string{}
		for _, each := range metadata.RegisteredComponents {
			types[each.Name] = each.Type
			ok("what the store can do", each.Name != store || len(each.Capabilities) > 0)
		}
		equal(types[store], "state.sqlite")
		for _, each := range metadata.Subscriptions {
			if each.Topic == topic {
				equal(each.Rules.Rules[0].Path, "/orders")
				return
			}
		}
		panic("no subscription")
	},

	"SetMetadata": func(s *scene) {
		must(s.SetMetadata(s.ctx, "mark", "yes"))
		metadata, err := s.GetMetadata(s.ctx)
		must(err)
		equal(metadata.ExtendedMetadata["mark"], "yes")
	},

	"GrpcClient": func(s *scene) {
		metadata, err := s.GrpcClient().GetMetadata(s.ctx, nil)
		must(err)
		equal(metadata.GetId(), "own")
	},

	"GrpcClientConn": func(s *scene) {
		var metadata emptypb.Empty
		must(s.GrpcClientConn().Invoke(s.ctx, "/dapr.proto.runtime.v1.Dapr/GetMetadata", &emptypb.Empty{}, &metadata))
		ok("fields of an answer", len(metadata.ProtoReflect().GetUnknown()) > 0)
	},

	"Subscribe": func(s *scene) {
		dead := "streamed-dead"
		subscription, err := s.Client.Subscribe(s.ctx, client.SubscriptionOptions{PubsubName: broker, Topic: "streamed",
			DeadLetterTopic: &dead, Metadata: map[string]string{"a": "b"}})
		must(err)
		buried, err := s.Client.Subscribe(s.ctx, client.SubscriptionOptions{PubsubName: broker, Topic: dead})
		must(err)
		must(s.PublishEvent(s.ctx, broker, "streamed", order{"first"}))
		message, err := subscription.Receive()
		must(err)
		equal(message.Data, any(map[string]any{"mark": "first"}))
		equal(message.Topic+message.PubsubName+message.SpecVersion+message.DataContentType, "streamed"+broker+"1.0"+"application/json")
		equal(message.Type+message.Source, "com.dapr.event.sent"+"own")
		must(message.Success())
		// Without a policy nothing is tried again where there is a topic for dead letters.
		for text, answer := range map[string]func(*client.SubscriptionMessage) error{
			"retried": (*client.SubscriptionMessage).Retry, "dropped": (*client.SubscriptionMessage).Drop} {
			must(s.PublishEvent(s.ctx, broker, "streamed", text))
			message, err = subscription.Receive()
			must(err)
			equal(message.Data, any(text))
			must(answer(message))
			message, err = buried.Receive()
			must(err)
			equal(message.Data, any(text))
			must(message.Success())
		}
		must(subscription.Close())
		must(buried.Close())
		ok("it was closed", subscription.Close() != nil)
		_, err = s.Client.Subscribe(s.ctx, client.SubscriptionOptions{PubsubName: "nosuch", Topic: "streamed"})
		fails(err, codes.InvalidArgument, "nosuch")
	},

	"SubscribeWithHandler": func(s *scene) {
		var tries atomic.Int32
		done := make(chan *common.TopicEvent, 10)
		stop, err := s.Client.SubscribeWithHandler(s.ctx, client.SubscriptionOptions{PubsubName: broker, Topic: "handled"},
			func(event *common.TopicEvent) common.SubscriptionResponseStatus {
				if tries.Add(1) == 1 {
					return common.SubscriptionResponseStatusRetry
				}
				done <- event
				return common.SubscriptionResponseStatusSuccess
			})
		must(err)
		must(s.PublishEvent(s.ctx, broker, "handled", order{"first"}))
		event := <-done
		var got order
		must(event.Struct(&got))
		equal(got, order{"first"})
		must(stop())
		// The name is free again for another one.
		again, err := s.Client.Subscribe(s.ctx, client.SubscriptionOptions{PubsubName: broker, Topic: "handled"})
		must(err)
		must(again.Close())
	},

	"ScheduleJobAlpha1": refused(func(s *scene) error { return s.ScheduleJobAlpha1(s.ctx, job()) }),
	"ScheduleJob":       refused(func(s *scene) error { return s.ScheduleJob(s.ctx, job()) }),
	"GetJobAlpha1": refused(func(s *scene) error {
		_, err := s.GetJobAlpha1(s.ctx, "j")
		return err
	}),
	"GetJob": refused(func(s *scene) error {
		_, err := s.GetJob(s.ctx, "j")
		return err
	}),
	"DeleteJobAlpha1": refused(func(s *scene) error { return s.DeleteJobAlpha1(s.ctx, "j") }),
	"DeleteJob":       refused(func(s *scene) error { return s.DeleteJob(s.ctx, "j") }),
	"ConverseAlpha1": refused(func(s *scene) error {
		_, err := s.ConverseAlpha1(s.ctx, client.NewConversationRequest("llm", nil))
		return err
	}),
	"ConverseAlpha2": refused(func(s *scene) error {
		_, err := s.ConverseAlpha2(s.ctx, client.ConversationRequestAlpha2{Name: "llm"})
		return err
	}),
	"SubscribeActorEvents": refused(func(s *scene) error {
		_, err := s.SubscribeActorEvents(s.ctx, nobody{}, client.ActorEventSubscriptionOptions{})
		return err
	}),
}

func job() *client.Job {
	schedule := "@every 1s"
	return &client.Job{Name: "j", Schedule: &schedule}
}

func withDeadLetters(subscription common.Subscription) common.Subscription {
	subscription.DeadLetterTopic = "dead"
	return subscription
}

func addGenerationHandlers(service common.Service) error {
	subscription := &common.Subscription{PubsubName: "pubsub", Topic: "subscriber", Route: "/subscriber"}
	return service.AddTopicEventSubscriber(subscription, subscriber{})
}

type nobody struct{ client.ActorEventHandler }

func (nobody) RegisteredActorTypes() []string { return []string{"t"} }

type subscriber struct{}

func (subscriber) Handle(_ context.Context, event *common.TopicEvent) (bool, error) {
	report(got{Got: "subscriber", Event: event})
	return false, nil
}
