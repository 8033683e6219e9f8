package main

import (
	"encoding/json"
	"fmt"

	"github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
)

const (
	broker = "broker"
	topic  = "orders"
)

type order struct {
	Mark string `json:"mark"`
}

// Publishing, whose events an application gets that the test looks into; bindings; invocation.
var messageCalls = calls{
	"PublishEvent": func(s *scene) {
		publish := func(data any, options ...client.PublishEventOption) {
			must(s.PublishEvent(s.ctx, broker, topic, data, options...))
		}
		publish(order{"struct"})
		publish("text")
		publish([]byte("bytes"))
		publish([]byte{0, 255}, client.PublishEventWithContentType("application/octet-stream"))
		publish(`{"mark":"json"}`, client.PublishEventWithContentType("application/json"))
		publish(`{"specversion":"1.0","id":"own","source":"here","type":"kind","data":{"mark":"event"}}`,
			client.PublishEventWithContentType("application/cloudevents+json"))
		publish(order{"metadata"}, client.PublishEventWithMetadata(map[string]string{"cloudevent.type": "special", "ttlInSeconds": "100"}))
		publish(order{"raw"}, client.PublishEventWithRawPayload())
		fails(s.PublishEvent(s.ctx, "nosuch", topic, "x"), codes.InvalidArgument, "nosuch")
	},

	"PublishEventfromCustomContent": func(s *scene) {
		must(s.PublishEventfromCustomContent(s.ctx, broker, topic, order{"custom"}))
	},

	"PublishEvents": func(s *scene) {
		events := []any{
			order{"bulk struct"}, "bulk text", []byte{254},
			client.PublishEventsEvent{EntryID: "7", Data: []byte(`{"mark":"bulk entry"}`), ContentType: "application/json",
				Metadata: map[string]string{"cloudevent.type": "entry"}},
			map[string]any{"specversion": "1.0", "id": "bulk", "source": "here", "type": "kind", "data": order{"bulk event"}},
		}
		answer := s.PublishEvents(s.ctx, broker, topic, events, client.PublishEventsWithMetadata(map[string]string{"a": "b"}))
		must(answer.Error)
		equal(len(answer.FailedEvents), 0)
		answer = s.PublishEvents(s.ctx, broker, topic, []any{order{"bulk content type"}}, client.PublishEventsWithContentType("application/json"))
		must(answer.Error)
		answer = s.PublishEvents(s.ctx, broker, topic, []any{order{"bulk raw"}}, client.PublishEventsWithRawPayload())
		must(answer.Error)
		answer = s.PublishEvents(s.ctx, "nosuch", topic, events)
		fails(answer.Error, codes.InvalidArgument, "nosuch")
		equal(len(answer.FailedEvents), len(events))
	},

	"WithTraceID": func(s *scene) {
		ctx := s.WithTraceID(s.ctx, "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
		must(s.PublishEvent(ctx, broker, topic, order{"traced"}))
	},

	"InvokeBinding": func(s *scene) {
		file := map[string]string{"fileName": "one.txt"}
		request := &client.InvokeBindingRequest{Name: "files", Operation: "create", Data: []byte("two words"), Metadata: file}
		_, err := s.InvokeBinding(s.ctx, request)
		must(err)
		event, err := s.InvokeBinding(s.ctx, &client.InvokeBindingRequest{Name: "files", Operation: "get", Metadata: file})
		must(err)
		equal(string(event.Data), "two words")
		_, err = s.InvokeBinding(s.ctx, &client.InvokeBindingRequest{Name: "nosuch", Operation: "get"})
		fails(err, codes.Internal, "nosuch")
		_, err = s.InvokeBinding(s.ctx, &client.InvokeBindingRequest{Name: "files", Operation: "nosuch"})
		ok("an operation that there is not", err != nil)
	},

	"InvokeOutputBinding": func(s *scene) {
		request := &client.InvokeBindingRequest{Name: "files", Operation: "create", Data: []byte("x"),
			Metadata: map[string]string{"fileName": "two.txt"}}
		must(s.InvokeOutputBinding(s.ctx, request))
		request.Operation = "delete"
		must(s.InvokeOutputBinding(s.ctx, request))
		request.Operation = "get"
		ok("it is gone", s.InvokeOutputBinding(s.ctx, request) != nil)
	},

	"InvokeMethod": func(s *scene) {
		answer, err := s.InvokeMethod(s.ctx, "own", "echo?a=1&b=%20", "get")
		must(err)
		equal(echoed(answer), echo{"GET", ""})
		_, err = s.InvokeMethod(s.ctx, "own", "absent", "delete")
		fails(err, codes.NotFound, "")
		_, err = s.InvokeMethod(s.ctx, "nosuch", "echo", "get")
		ok("nobody has that name", err != nil)
	},

	"InvokeMethodWithContent": func(s *scene) {
		for _, verb := range []string{"post", "put", "patch"} {
			answer, err := s.InvokeMethodWithContent(s.ctx, "own", "echo", verb,
				&client.DataContent{Data: []byte("hello"), ContentType: "text/plain"})
			must(err)
			equal(echoed(answer).Body, "hello")
		}
	},

	"InvokeMethodWithCustomContent": func(s *scene) {
		answer, err := s.InvokeMethodWithCustomContent(s.ctx, "own", "echo", "post", "application/json", order{"custom"})
		must(err)
		equal(echoed(answer), echo{"POST", `{"mark":"custom"}`})
	},
}

type echo struct{ Method, Body string }

func echoed(answer []byte) (said echo) {
	if err := json.Unmarshal(answer, &said); err != nil {
		panic(fmt.Sprintf("%v: %q", err, answer))
	}
	return said
}
