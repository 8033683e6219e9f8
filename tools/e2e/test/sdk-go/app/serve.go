package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/dapr/go-sdk/service/common"
	"github.com/dapr/go-sdk/service/grpc"
	"github.com/dapr/go-sdk/service/http"
)

// What a handler was given.
type got struct {
	Got   string `json:"got"`
	Event any    `json:"event"`
}

// Serves until its input ends. It is invoked with the token only.
func serve(protocol, port, token string) error {
	if err := os.Setenv(common.AppAPITokenEnvVar, token); err != nil {
		return err
	}
	address := "127.0.0.1:" + port
	service := http.NewService(address)
	if protocol == "grpc" {
		var err error
		if service, err = grpc.NewService(address); err != nil {
			return err
		}
	}
	if err := addHandlers(service); err != nil {
		return err
	}
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		_ = service.GracefulStop()
	}()
	report(map[string]bool{"ready": true})
	if err := service.Start(); err != nil && !strings.Contains(err.Error(), "Server closed") {
		return err
	}
	return nil
}

func addHandlers(service common.Service) error {
	var tries atomic.Int32
	topic := func(subscription common.Subscription, name string, retry bool, failure error) error {
		subscription.PubsubName = "pubsub"
		return service.AddTopicEventHandler(&subscription, func(_ context.Context, event *common.TopicEvent) (bool, error) {
			report(got{name, event})
			if retry && tries.Add(1) > 1 {
				return false, nil
			}
			return retry, failure
		})
	}
	failure := errors.New("it cannot be done")
	return errors.Join(
		service.AddHealthCheckHandler("health", func(context.Context) error {
			report(got{Got: "health"})
			return nil
		}),
		service.AddServiceInvocationHandler("echo", func(_ context.Context, in *common.InvocationEvent) (*common.Content, error) {
			data, err := json.Marshal(map[string]string{"verb": in.Verb, "query": in.QueryString, "type": in.ContentType, "data": string(in.Data)})
			return &common.Content{Data: data, ContentType: "application/json"}, err
		}),
		service.AddServiceInvocationHandler("/with/path", func(context.Context, *common.InvocationEvent) (*common.Content, error) {
			return &common.Content{Data: []byte("path"), ContentType: "text/plain"}, nil
		}),
		service.AddServiceInvocationHandler("nothing", func(context.Context, *common.InvocationEvent) (*common.Content, error) {
			return nil, nil
		}),
		service.AddServiceInvocationHandler("failing", func(context.Context, *common.InvocationEvent) (*common.Content, error) {
			return nil, fmt.Errorf("failing: %w", failure)
		}),
		service.AddBindingInvocationHandler("ticks", func(_ context.Context, in *common.BindingEvent) ([]byte, error) {
			report(got{"ticks", string(in.Data)})
			return nil, nil
		}),
		topic(common.Subscription{Topic: "plain", Route: "/plain", Metadata: map[string]string{"a": "b"}}, "plain", false, nil),
		topic(common.Subscription{Topic: "retried", Route: "/retried"}, "retried", true, failure),
		topic(withDeadLetters(common.Subscription{Topic: "dropped", Route: "/dropped"}), "dropped", false, failure),
		topic(common.Subscription{Topic: "dead", Route: "/dead"}, "dead", false, nil),
		topic(common.Subscription{Topic: "raw", Route: "/raw", Metadata: map[string]string{"rawPayload": "true"}}, "raw", false, nil),
		topic(common.Subscription{Topic: "ruled", Route: "/other"}, "other", false, nil),
		topic(common.Subscription{Topic: "ruled", Route: "/order", Match: `event.type == "order"`, Priority: 2}, "order", false, nil),
		topic(common.Subscription{Topic: "ruled", Route: "/urgent", Match: `event.type == "order" && event.data.urgent`, Priority: 1}, "urgent", false, nil),
		addGenerationHandlers(service),
	)
}
