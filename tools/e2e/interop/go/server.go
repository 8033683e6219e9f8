package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What became of the calls that have an x-id: "started", or "over" when the handler has come to its end.
var states sync.Map

func serve(port, cert, key string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	var options []grpc.ServerOption
	if cert != "" {
		tls, err := credentials.NewServerTLSFromFile(cert, key)
		if err != nil {
			return err
		}
		options = append(options, grpc.Creds(tls))
	}
	server := grpc.NewServer(options...)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
		Streams: []grpc.StreamDesc{
			{StreamName: "ServerStream", ServerStreams: true, Handler: stream(sendMany)},
			{StreamName: "ClientStream", ClientStreams: true, Handler: stream(countBytes)},
			{StreamName: "Bidi", ServerStreams: true, ClientStreams: true, Handler: stream(echo)},
		},
	}, nil)
	// Whoever started this process holds its input open.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	report(map[string]int{"ready": listener.Addr().(*net.TCPAddr).Port})
	return server.Serve(listener)
}

// What the metadata of a call asks for.
type wishes struct {
	count, size int
	fail        codes.Code
	early       bool
	state       string
	id          string
}

func first(md metadata.MD, name string) string {
	if values := md.Get(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func begin(ctx context.Context) (wishes, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	number := func(name string, otherwise int) int {
		if value, err := strconv.Atoi(first(md, name)); err == nil {
			return value
		}
		return otherwise
	}
	wish := wishes{
		count: number("x-count", 1),
		size:  number("x-size", -1),
		fail:  codes.Code(number("x-fail", 0)),
		early: first(md, "x-early") != "",
		state: first(md, "x-state"),
		id:    first(md, "x-id"),
	}
	states.Store(wish.id, "started")
	if value := first(md, "x-echo"); value != "" {
		_ = grpc.SetHeader(ctx, metadata.Pairs("x-echo", value))
	}
	if values := md.Get("x-echo-bin"); len(values) > 0 {
		_ = grpc.SetTrailer(ctx, metadata.Pairs("x-echo-bin", values[0]))
	}
	if delay := number("x-delay-ms", 0); delay > 0 {
		select {
		case <-time.After(time.Duration(delay) * time.Millisecond):
		case <-ctx.Done():
			return wish, status.FromContextError(ctx.Err()).Err()
		}
	}
	if wish.early {
		return wish, wish.failure()
	}
	return wish, nil
}

func (w wishes) end() { states.Store(w.id, "over") }

func (w wishes) failure() error {
	if w.fail == codes.OK {
		return nil
	}
	failed, err := status.New(w.fail, failMessage).WithDetails(wrapperspb.Bytes([]byte(detail)))
	if err != nil {
		return err
	}
	return failed.Err()
}

func (w wishes) answer(payload []byte) []byte {
	if w.size >= 0 {
		return make([]byte, w.size)
	}
	return payload
}

func unary(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	request := new(wrapperspb.BytesValue)
	if err := decode(request); err != nil {
		return nil, err
	}
	wish, err := begin(ctx)
	defer wish.end()
	if err != nil {
		return nil, err
	}
	if wish.state != "" {
		state, _ := states.Load(wish.state)
		return wrapperspb.Bytes(fmt.Append(nil, state)), nil
	}
	if err := wish.failure(); err != nil {
		return nil, err
	}
	return wrapperspb.Bytes(wish.answer(request.Value)), nil
}

func stream(answer func(grpc.ServerStream, wishes) error) grpc.StreamHandler {
	return func(_ any, stream grpc.ServerStream) error {
		wish, err := begin(stream.Context())
		defer wish.end()
		if err != nil {
			return err
		}
		if err := answer(stream, wish); err != nil {
			return err
		}
		return wish.failure()
	}
}

func sendMany(stream grpc.ServerStream, wish wishes) error {
	request := new(wrapperspb.BytesValue)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	for range wish.count {
		if err := stream.SendMsg(wrapperspb.Bytes(wish.answer(request.Value))); err != nil {
			return err
		}
	}
	return nil
}

func countBytes(stream grpc.ServerStream, wish wishes) error {
	total := 0
	for {
		request := new(wrapperspb.BytesValue)
		err := stream.RecvMsg(request)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		total += len(request.Value)
	}
	if wish.fail != codes.OK {
		return nil
	}
	return stream.SendMsg(wrapperspb.Bytes([]byte(strconv.Itoa(total))))
}

func echo(stream grpc.ServerStream, _ wishes) error {
	for {
		request := new(wrapperspb.BytesValue)
		err := stream.RecvMsg(request)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.SendMsg(request); err != nil {
			return err
		}
	}
}
