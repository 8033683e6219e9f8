package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Only ends what hangs.
const patience = 60 * time.Second

type client struct{ connection *grpc.ClientConn }

func callAll(address, ca string) error {
	transport := insecure.NewCredentials()
	if ca != "" {
		var err error
		if transport, err = credentials.NewClientTLSFromFile(ca, "localhost"); err != nil {
			return err
		}
	}
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(transport))
	if err != nil {
		return err
	}
	defer connection.Close()
	c := client{connection}
	for _, each := range c.cases() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		began := time.Now()
		err := each.run(ctx)
		cancel()
		line := map[string]any{"case": each.name, "ok": err == nil, "ms": time.Since(began).Milliseconds()}
		if err != nil {
			line["detail"] = err.Error()
		}
		report(line)
	}
	return nil
}

func path(method string) string { return "/" + service + "/" + method }

func with(ctx context.Context, pairs ...string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

func (c client) unary(ctx context.Context, payload []byte, options ...grpc.CallOption) ([]byte, error) {
	reply := new(wrapperspb.BytesValue)
	err := c.connection.Invoke(ctx, path("Unary"), wrapperspb.Bytes(payload), reply, options...)
	return reply.Value, err
}

func (c client) open(
	ctx context.Context, description *grpc.StreamDesc, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return c.connection.NewStream(ctx, description, path(description.StreamName), options...)
}

// Opens a server stream and sends its request.
func (c client) ask(ctx context.Context, payload []byte, options ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := c.open(ctx, &serverStream, options...)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(wrapperspb.Bytes(payload)); err != nil {
		return nil, err
	}
	return stream, stream.CloseSend()
}

func receive(stream grpc.ClientStream) ([]byte, error) {
	reply := new(wrapperspb.BytesValue)
	err := stream.RecvMsg(reply)
	return reply.Value, err
}

// Reads `count` messages that must be equal to what `expected` makes, then the end.
func receiveAll(stream grpc.ClientStream, count int, expected func(int) []byte) error {
	for index := range count {
		message, err := receive(stream)
		if err != nil {
			return fmt.Errorf("message %d: %w", index, err)
		}
		if !bytes.Equal(message, expected(index)) {
			return fmt.Errorf("message %d is another one (%d bytes)", index, len(message))
		}
	}
	if _, err := receive(stream); !errors.Is(err, io.EOF) {
		return fmt.Errorf("after %d messages: %w", count, err)
	}
	return nil
}

// Sends until all is sent or the server has ended the call: then receiving says why.
func sendAll(stream grpc.ClientStream, count int, message func(int) []byte) error {
	for index := range count {
		err := stream.SendMsg(wrapperspb.Bytes(message(index)))
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return stream.CloseSend()
}

func (c client) bidi(ctx context.Context, count int, message func(int) []byte, options ...grpc.CallOption) error {
	stream, err := c.open(ctx, &bidi, options...)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- sendAll(stream, count, message) }()
	if err := receiveAll(stream, count, message); err != nil {
		return err
	}
	return <-sent
}

func (c client) count(ctx context.Context, count int, message func(int) []byte) error {
	stream, err := c.open(ctx, &clientStream)
	if err != nil {
		return err
	}
	total := 0
	for index := range count {
		total += len(message(index))
	}
	if err := sendAll(stream, count, message); err != nil {
		return err
	}
	return receiveAll(stream, 1, func(int) []byte { return []byte(strconv.Itoa(total)) })
}

// Waits until the server says that the call has come so far: "started" or "over".
func (c client) reached(ctx context.Context, id, state string) error {
	for {
		reply, err := c.unary(with(ctx, "x-state", id), nil)
		// A call that was over before the server saw it is over as well.
		if err != nil || string(reply) == state || (state == "over" && string(reply) != "started") {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func wantCode(err error, code codes.Code) error {
	if status.Code(err) != code {
		return fmt.Errorf("%v instead of %v: %v", status.Code(err), code, err)
	}
	return nil
}

// The error that x-fail asks for.
func wantFailure(err error, code codes.Code) error {
	failed, _ := status.FromError(err)
	if failed.Code() != code || failed.Message() != failMessage {
		return fmt.Errorf("%v %q instead of %v", failed.Code(), failed.Message(), code)
	}
	details := failed.Details()
	if len(details) != 1 {
		return fmt.Errorf("%d details", len(details))
	}
	if value, ok := details[0].(*wrapperspb.BytesValue); !ok || string(value.Value) != detail {
		return fmt.Errorf("the detail is %v", details[0])
	}
	return nil
}
