package main

import (
	"time"

	"github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
)

// Another client, of the sidecar that wants a token.
func (s *scene) onSocket(token string) client.Client {
	other, err := client.NewClientWithSocket(s.socket)
	must(err)
	other.WithAuthToken(token)
	return other
}

// The client's own life, and the sidecar's.
var processCalls = calls{
	"Wait": func(s *scene) {
		must(s.Wait(s.ctx, patience))
		other, err := client.NewClientWithSocket("/nowhere/at/all.socket")
		must(err)
		defer other.Close()
		ok("nobody is there", other.Wait(s.ctx, 50*time.Millisecond) != nil)
	},

	"Close": func(s *scene) {
		other, err := client.NewClientWithAddress("127.0.0.1:" + s.grpcPort)
		must(err)
		must(other.SaveState(s.ctx, store, "closing", []byte("1"), nil))
		other.Close()
	},

	"WithAuthToken": func(s *scene) {
		for _, wrong := range []string{"", "wrong"} {
			other := s.onSocket(wrong)
			_, err := other.GetState(s.ctx, store, "any", nil)
			fails(err, codes.Unauthenticated, "")
			other.Close()
		}
		other := s.onSocket("token")
		defer other.Close()
		must(other.SaveState(s.ctx, store, "any", []byte("1"), nil))
		secret, err := other.GetState(s.ctx, store, "any", nil)
		must(err)
		equal(string(secret.Value), "1")
	},

	// The last one. The test waits for the end of the process.
	"Shutdown": func(s *scene) {
		other := s.onSocket("token")
		defer other.Close()
		must(other.Shutdown(s.ctx))
	},
}
