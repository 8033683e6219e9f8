package main

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
)

// Secrets, configuration, locks, cryptography.
var itemCalls = calls{
	"GetSecret": func(s *scene) {
		secret, err := s.GetSecret(s.ctx, "vault", "password", map[string]string{"a": "b"})
		must(err)
		equal(secret, map[string]string{"password": "swordfish"})
		_, err = s.GetSecret(s.ctx, "vault", "absent", nil)
		fails(err, codes.Internal, "absent")
		_, err = s.GetSecret(s.ctx, "nosuch", "password", nil)
		fails(err, codes.InvalidArgument, "nosuch")
	},

	"GetBulkSecret": func(s *scene) {
		all, err := s.GetBulkSecret(s.ctx, "vault", nil)
		must(err)
		equal(all, map[string]map[string]string{"password": {"password": "swordfish"}, "db:user": {"db:user": "sa"}})
		_, err = s.GetBulkSecret(s.ctx, "nosuch", nil)
		fails(err, codes.InvalidArgument, "nosuch")
	},

	"GetConfigurationItem": func(s *scene) {
		item, err := s.GetConfigurationItem(s.ctx, "settings", "colour", client.WithConfigurationMetadata("a", "b"))
		must(err)
		equal(item.Value, "red")
		item, err = s.GetConfigurationItem(s.ctx, "settings", "absent")
		must(err)
		equal(item, nil)
		_, err = s.GetConfigurationItem(s.ctx, "nosuch", "colour")
		fails(err, codes.InvalidArgument, "nosuch")
	},

	"GetConfigurationItems": func(s *scene) {
		items, err := s.GetConfigurationItems(s.ctx, "settings", []string{"colour", "size", "absent"})
		must(err)
		equal(len(items), 2)
		equal(items["size"].Value, "large")
		items, err = s.GetConfigurationItems(s.ctx, "settings", nil)
		must(err)
		ok("all of them", items["colour"] != nil && items["size"] != nil)
	},

	// The test changes it again and again.
	"SubscribeConfigurationItems": func(s *scene) {
		ctx, cancel := context.WithCancel(s.ctx)
		heard := make(chan string, 1000)
		id, err := s.SubscribeConfigurationItems(ctx, "settings", []string{"followed"}, func(id string, items map[string]*client.ConfigurationItem) {
			equal(len(items), 1)
			ok("a value", items["followed"].Value != "")
			heard <- id
		}, client.WithConfigurationMetadata("a", "b"))
		must(err)
		ok("an id", id != "")
		for range 3 {
			equal(<-heard, id)
		}
		cancel()
	},

	"UnsubscribeConfigurationItems": func(s *scene) {
		var once sync.Once
		first := make(chan bool)
		id, err := s.SubscribeConfigurationItems(s.ctx, "settings", []string{"followed"}, func(string, map[string]*client.ConfigurationItem) {
			once.Do(func() { close(first) })
		})
		must(err)
		<-first
		must(s.UnsubscribeConfigurationItems(s.ctx, "settings", id))
		err = s.UnsubscribeConfigurationItems(s.ctx, "settings", id)
		ok("it ended once", err != nil)
	},

	"TryLockAlpha1": func(s *scene) {
		lock := func(owner string) bool {
			answer, err := s.TryLockAlpha1(s.ctx, "locks", &client.LockRequest{ResourceID: "taken", LockOwner: owner, ExpiryInSeconds: 60})
			must(err)
			return answer.Success
		}
		equal(lock("me"), true)
		equal(lock("you"), false)
		_, err := s.TryLockAlpha1(s.ctx, "nosuch", &client.LockRequest{ResourceID: "r", LockOwner: "me", ExpiryInSeconds: 60})
		fails(err, codes.InvalidArgument, "nosuch")
	},

	"UnlockAlpha1": func(s *scene) {
		unlock := func(owner string) client.UnlockResponse {
			answer, err := s.UnlockAlpha1(s.ctx, "locks", &client.UnlockRequest{ResourceID: "it", LockOwner: owner})
			must(err)
			return *answer
		}
		equal(unlock("me").Status, "LOCK_DOES_NOT_EXIST")
		_, err := s.TryLockAlpha1(s.ctx, "locks", &client.LockRequest{ResourceID: "it", LockOwner: "me", ExpiryInSeconds: 60})
		must(err)
		equal(unlock("you").Status, "LOCK_BELONGS_TO_OTHERS")
		equal(unlock("me"), client.UnlockResponse{StatusCode: 0, Status: "SUCCESS"})
	},

	"Encrypt": func(s *scene) {
		for _, plain := range [][]byte{bytes.Repeat([]byte("plain text "), 20_000), {1}} {
			for _, cipher := range []string{"", "aes-gcm", "chacha20-poly1305"} {
				sealed := s.through(s.Encrypt(s.ctx, bytes.NewReader(plain), client.EncryptOptions{
					ComponentName: "keys", KeyName: "aes.key", KeyWrapAlgorithm: "A256KW", DataEncryptionCipher: cipher}))
				ok("a header", bytes.HasPrefix(sealed, []byte("dapr.io/enc/v1\n")))
				opened := s.through(s.Decrypt(s.ctx, bytes.NewReader(sealed), client.DecryptOptions{ComponentName: "keys"}))
				ok("the same again", bytes.Equal(opened, plain))
			}
		}
		stream, err := s.Encrypt(s.ctx, bytes.NewReader([]byte("x")), client.EncryptOptions{
			ComponentName: "nosuch", KeyName: "aes.key", KeyWrapAlgorithm: "A256KW"})
		must(err)
		_, err = io.ReadAll(stream)
		fails(err, codes.InvalidArgument, "nosuch")
	},

	"Decrypt": func(s *scene) {
		sealed := s.through(s.Encrypt(s.ctx, bytes.NewReader([]byte("text")), client.EncryptOptions{
			ComponentName: "keys", KeyName: "aes.key", KeyWrapAlgorithm: "A256KW", OmitDecryptionKeyName: true}))
		named := client.DecryptOptions{ComponentName: "keys", KeyName: "aes.key"}
		equal(string(s.through(s.Decrypt(s.ctx, bytes.NewReader(sealed), named))), "text")
		for _, wrong := range []struct {
			sealed  []byte
			options client.DecryptOptions
		}{{[]byte("plain"), named}, {sealed, client.DecryptOptions{ComponentName: "keys"}}} {
			stream, err := s.Decrypt(s.ctx, bytes.NewReader(wrong.sealed), wrong.options)
			must(err)
			_, err = io.ReadAll(stream)
			ok("it cannot be opened", err != nil)
		}
	},
}

func (s *scene) through(stream io.Reader, err error) []byte {
	must(err)
	all, err := io.ReadAll(stream)
	must(err)
	return all
}
