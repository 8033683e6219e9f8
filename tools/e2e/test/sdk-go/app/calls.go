package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Only ends what hangs.
const patience = 30 * time.Second

// What a call gets.
type scene struct {
	client.Client
	ctx      context.Context
	grpcPort string
	// Of a sidecar that wants a token.
	socket string
}

// Calls a method and panics when something else comes back than it must.
type call func(s *scene)

// By the name of the method.
type calls map[string]call

// What applications do not call: it only makes functions that call InvokeActor.
var inner = map[string]bool{"ImplActorClientStub": true}

func callAll(grpcPort, socket string) error {
	shared, err := client.NewClientWithPort(grpcPort)
	if err != nil {
		return err
	}
	defer shared.Close()
	all := calls{}
	for _, part := range []calls{stateCalls, messageCalls, itemCalls, processCalls, unbuiltCalls, generationCalls} {
		for name, each := range part {
			all[name] = each
		}
	}
	for _, name := range methods() {
		if inner[name] {
			continue
		}
		failure := fmt.Sprintf("nothing calls %s", name)
		if each, ok := all[name]; ok {
			failure = attempt(each, &scene{Client: shared, grpcPort: grpcPort, socket: socket})
			delete(all, name)
		}
		report(map[string]any{"case": name, "ok": failure == "", "detail": failure})
	}
	for name := range all {
		report(map[string]any{"case": name, "ok": false, "detail": "no such method"})
	}
	return nil
}

func methods() (names []string) {
	all := reflect.TypeOf((*client.Client)(nil)).Elem()
	for index := range all.NumMethod() {
		names = append(names, all.Method(index).Name)
	}
	last := func(index int) string { return strings.Replace(names[index], "Shutdown", "~", 1) }
	sort.Slice(names, func(a, b int) bool { return last(a) < last(b) })
	return names
}

func attempt(each call, s *scene) (failure string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.ctx = ctx
	defer func() {
		if problem := recover(); problem != nil {
			failure = fmt.Sprint(problem)
		}
	}()
	each(s)
	return ""
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func equal[T any](got, want T) {
	if !reflect.DeepEqual(got, want) {
		panic(fmt.Sprintf("got %+v, want %+v", got, want))
	}
}

func ok(what string, is bool) {
	if !is {
		panic(what)
	}
}

// An error with that code, whose message has the text.
func fails(err error, code codes.Code, text string) {
	if err == nil {
		panic("it did not fail")
	}
	if got := codeOf(err); got != code || !strings.Contains(err.Error(), text) {
		panic(fmt.Sprintf("failed with %s: %v; want %s: ... %s", got, err, code, text))
	}
}

func codeOf(err error) codes.Code {
	var known interface{ GRPCStatus() *status.Status }
	if errors.As(err, &known) {
		return known.GRPCStatus().Code()
	}
	return codes.Unknown
}
