package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type testCase struct {
	name string
	run  func(context.Context) error
}

const deadline = 250 * time.Millisecond

var nothing = bytesOf(nil)

func bytesOf(value []byte) *wrapperspb.BytesValue { return wrapperspb.Bytes(value) }

func small(index int) []byte { return []byte("message " + strconv.Itoa(index)) }

var large = make([]byte, mebibyte)

func mebibytes(int) []byte { return large }

func (c client) cases() []testCase {
	cases := []testCase{
		{"unary_small", c.echoes([]byte("hello"))},
		{"unary_empty", c.echoes(nil)},
		{"unary_3mib", c.echoes(make([]byte, 3*mebibyte))},
		{"unary_5mib_sent", func(ctx context.Context) error {
			_, err := c.unary(ctx, make([]byte, 5*mebibyte))
			return wantCode(err, codes.ResourceExhausted)
		}},
		{"unary_5mib_received", func(ctx context.Context) error {
			_, err := c.unary(with(ctx, "x-size", strconv.Itoa(5*mebibyte)), nil)
			return wantCode(err, codes.ResourceExhausted)
		}},
	}
	for _, count := range []int{0, 1, 100, 2000} {
		cases = append(cases,
			testCase{fmt.Sprintf("server_stream_%d", count), func(ctx context.Context) error {
				return c.serverStream(ctx, count, []byte("again"))
			}},
			testCase{fmt.Sprintf("client_stream_%d", count), func(ctx context.Context) error {
				return c.count(ctx, count, small)
			}},
			testCase{fmt.Sprintf("bidi_%d", count), func(ctx context.Context) error {
				return c.bidi(ctx, count, small)
			}},
		)
	}
	return append(cases,
		testCase{"bidi_ping_pong", c.pingPong},
		testCase{"large_server_stream", func(ctx context.Context) error { return c.serverStream(ctx, 64, large) }},
		testCase{"large_client_stream", func(ctx context.Context) error { return c.count(ctx, 64, mebibytes) }},
		testCase{"large_bidi", func(ctx context.Context) error { return c.bidi(ctx, 64, mebibytes) }},
		testCase{"metadata_unary", c.metadataUnary},
		testCase{"metadata_stream", c.metadataStream},
		testCase{"error_unary", func(ctx context.Context) error {
			_, err := c.unary(with(ctx, "x-fail", "9"), nil)
			return wantFailure(err, codes.FailedPrecondition)
		}},
		testCase{"error_before_messages", c.failsAfter(0)},
		testCase{"error_after_messages", c.failsAfter(3)},
		testCase{"error_client_stream", c.failsSending(&clientStream, 10, small)},
		testCase{"error_early_client_stream", c.failsSending(&clientStream, 64, mebibytes, "x-early", "1")},
		testCase{"error_early_bidi", c.failsSending(&bidi, 64, mebibytes, "x-early", "1")},
		testCase{"deadline_unary", c.deadlineUnary},
		testCase{"deadline_stream", c.deadlineStream},
		testCase{"cancel_unary", c.cancelUnary},
		testCase{"cancel_server_stream", c.cancelServerStream},
		testCase{"cancel_bidi", c.cancelBidi},
		testCase{"concurrent_200", c.concurrent},
		testCase{"gzip_unary", func(ctx context.Context) error {
			payload := bytes.Repeat([]byte("compress me "), 10_000)
			reply, err := c.unary(ctx, payload, grpc.UseCompressor(gzip.Name))
			return equal(reply, payload, err)
		}},
		testCase{"gzip_bidi", func(ctx context.Context) error {
			return c.bidi(ctx, 100, small, grpc.UseCompressor(gzip.Name))
		}},
		testCase{"unknown_method", func(ctx context.Context) error {
			return wantCode(c.connection.Invoke(ctx, path("Nothing"), nothing, nothing), codes.Unimplemented)
		}},
	)
}

func equal(reply, payload []byte, err error) error {
	if err == nil && !bytes.Equal(reply, payload) {
		return fmt.Errorf("%d bytes came back of %d, or others", len(reply), len(payload))
	}
	return err
}

func (c client) echoes(payload []byte) func(context.Context) error {
	return func(ctx context.Context) error {
		reply, err := c.unary(ctx, payload)
		return equal(reply, payload, err)
	}
}

func (c client) serverStream(ctx context.Context, count int, payload []byte) error {
	stream, err := c.ask(with(ctx, "x-count", strconv.Itoa(count)), payload)
	if err != nil {
		return err
	}
	return receiveAll(stream, count, func(int) []byte { return payload })
}

func (c client) pingPong(ctx context.Context) error {
	stream, err := c.open(ctx, &bidi)
	if err != nil {
		return err
	}
	for index := range 100 {
		if err := stream.SendMsg(bytesOf(small(index))); err != nil {
			return err
		}
		reply, err := receive(stream)
		if err := equal(reply, small(index), err); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return receiveAll(stream, 0, small)
}

const textValue = "a text: 100%, \"quoted\"; ~"

var binaryValue = []byte{0, 1, 2, 253, 254, 255, ','}

func wantMetadata(header, trailer metadata.MD) error {
	if first(header, "x-echo") != textValue {
		return fmt.Errorf("initial metadata %v", header)
	}
	if first(trailer, "x-echo-bin") != string(binaryValue) {
		return fmt.Errorf("trailers %v", trailer)
	}
	return nil
}

func (c client) metadataUnary(ctx context.Context) error {
	var header, trailer metadata.MD
	ctx = with(ctx, "x-echo", textValue, "x-echo-bin", string(binaryValue))
	if _, err := c.unary(ctx, nil, grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
		return err
	}
	return wantMetadata(header, trailer)
}

func (c client) metadataStream(ctx context.Context) error {
	stream, err := c.ask(with(ctx, "x-echo", textValue, "x-echo-bin", string(binaryValue), "x-count", "2"), []byte("x"))
	if err != nil {
		return err
	}
	if err := receiveAll(stream, 2, func(int) []byte { return []byte("x") }); err != nil {
		return err
	}
	header, err := stream.Header()
	if err != nil {
		return err
	}
	return wantMetadata(header, stream.Trailer())
}

func (c client) failsAfter(count int) func(context.Context) error {
	return func(ctx context.Context) error {
		stream, err := c.ask(with(ctx, "x-fail", "5", "x-count", strconv.Itoa(count)), []byte("x"))
		if err != nil {
			return err
		}
		for index := range count {
			if _, err := receive(stream); err != nil {
				return fmt.Errorf("message %d: %w", index, err)
			}
		}
		_, err = receive(stream)
		return wantFailure(err, codes.NotFound)
	}
}

func (c client) failsSending(
	description *grpc.StreamDesc, count int, message func(int) []byte, pairs ...string,
) func(context.Context) error {
	return func(ctx context.Context) error {
		stream, err := c.open(with(ctx, append(pairs, "x-fail", "10")...), description)
		if err != nil {
			return err
		}
		if err := sendAll(stream, count, message); err != nil {
			return err
		}
		_, err = receive(stream)
		return wantFailure(err, codes.Aborted)
	}
}

func (c client) deadlineUnary(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	_, err := c.unary(with(short, "x-delay-ms", "60000", "x-id", "deadline-unary"), nil)
	return errors.Join(wantCode(err, codes.DeadlineExceeded), c.reached(ctx, "deadline-unary", "over"))
}

func (c client) deadlineStream(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	stream, err := c.open(with(short, "x-id", "deadline-stream"), &bidi)
	if err != nil {
		return err
	}
	// The deadline may come before any of this.
	_ = stream.SendMsg(bytesOf([]byte("x")))
	for err == nil {
		_, err = receive(stream)
	}
	return errors.Join(wantCode(err, codes.DeadlineExceeded), c.reached(ctx, "deadline-stream", "over"))
}

func (c client) cancelUnary(ctx context.Context) error {
	inner, cancel := context.WithCancel(with(ctx, "x-delay-ms", "60000", "x-id", "cancel-unary"))
	ended := make(chan error, 1)
	go func() {
		_, err := c.unary(inner, nil)
		ended <- err
	}()
	err := c.reached(ctx, "cancel-unary", "started")
	cancel()
	return errors.Join(err, wantCode(<-ended, codes.Canceled), c.reached(ctx, "cancel-unary", "over"))
}

func (c client) cancelServerStream(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.ask(with(inner, "x-count", "1000000000", "x-id", "cancel-server-stream"), make([]byte, 1000))
	if err != nil {
		return err
	}
	for range 10 {
		if _, err := receive(stream); err != nil {
			return err
		}
	}
	cancel()
	for err == nil {
		_, err = receive(stream)
	}
	return errors.Join(wantCode(err, codes.Canceled), c.reached(ctx, "cancel-server-stream", "over"))
}

func (c client) cancelBidi(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.open(with(inner, "x-id", "cancel-bidi"), &bidi)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(bytesOf([]byte("x"))); err != nil {
		return err
	}
	if _, err := receive(stream); err != nil {
		return err
	}
	cancel()
	_, err = receive(stream)
	return errors.Join(wantCode(err, codes.Canceled), c.reached(ctx, "cancel-bidi", "over"))
}

func (c client) concurrent(ctx context.Context) error {
	errs := make([]error, 200)
	var all sync.WaitGroup
	for index := range errs {
		all.Go(func() {
			reply, err := c.unary(with(ctx, "x-delay-ms", "100"), small(index))
			errs[index] = equal(reply, small(index), err)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
