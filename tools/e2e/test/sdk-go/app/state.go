package main

import (
	"encoding/json"
	"fmt"

	"github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
)

const store = "store"

func (s *scene) value(key string) string {
	item, err := s.GetState(s.ctx, store, key, nil)
	must(err)
	equal(item.Key, key)
	return string(item.Value)
}

func (s *scene) etag(key string) string {
	item, err := s.GetState(s.ctx, store, key, nil)
	must(err)
	return item.Etag
}

func (s *scene) save(key, value string) {
	must(s.SaveState(s.ctx, store, key, []byte(value), nil))
}

var stateCalls = calls{
	"SaveState": func(s *scene) {
		s.save("saved", `{"big":12345678901234567890}`)
		equal(s.value("saved"), `{"big":12345678901234567890}`)
		must(s.SaveState(s.ctx, store, "saved", []byte("no JSON"), map[string]string{"ttlInSeconds": "100"},
			client.WithConcurrency(client.StateConcurrencyLastWrite),
			client.WithConsistency(client.StateConsistencyStrong)))
		item, err := s.GetState(s.ctx, store, "saved", nil)
		must(err)
		equal(string(item.Value), "no JSON")
		ok("the time of its end is told", item.Metadata["ttlExpireTime"] != "")
		fails(s.SaveState(s.ctx, "nosuch", "saved", []byte("1"), nil), codes.InvalidArgument, "nosuch")
	},

	"SaveStateWithETag": func(s *scene) {
		s.save("tagged", "1")
		must(s.SaveStateWithETag(s.ctx, store, "tagged", []byte("2"), s.etag("tagged"), nil))
		wrong := s.SaveStateWithETag(s.ctx, store, "tagged", []byte("3"), "99999999", nil,
			client.WithConcurrency(client.StateConcurrencyFirstWrite))
		ok(fmt.Sprintf("refused: %v", wrong), wrong != nil && (codeOf(wrong) == codes.Aborted || codeOf(wrong) == codes.InvalidArgument))
		equal(s.value("tagged"), "2")
	},

	"SaveBulkState": func(s *scene) {
		must(s.SaveBulkState(s.ctx, store,
			&client.SetStateItem{Key: "bulk1", Value: []byte("1")},
			&client.SetStateItem{Key: "bulk2", Value: []byte("2"), Metadata: map[string]string{"ttlInSeconds": "100"},
				Options: &client.StateOptions{Concurrency: client.StateConcurrencyLastWrite, Consistency: client.StateConsistencyEventual}}))
		equal(s.value("bulk1")+s.value("bulk2"), "12")
		must(s.SaveBulkState(s.ctx, store,
			&client.SetStateItem{Key: "bulk1", Value: []byte("3"), Etag: &client.ETag{Value: s.etag("bulk1")}}))
		equal(s.value("bulk1"), "3")
	},

	"GetState": func(s *scene) {
		item, err := s.GetState(s.ctx, store, "absent", map[string]string{"a": "b"})
		must(err)
		equal(item, &client.StateItem{Key: "absent"})
		_, err = s.GetState(s.ctx, "nosuch", "absent", nil)
		fails(err, codes.InvalidArgument, "nosuch")
	},

	"GetStateWithConsistency": func(s *scene) {
		s.save("consistent", "1")
		for _, consistency := range []client.StateConsistency{client.StateConsistencyUndefined,
			client.StateConsistencyEventual, client.StateConsistencyStrong} {
			item, err := s.GetStateWithConsistency(s.ctx, store, "consistent", nil, consistency)
			must(err)
			equal(string(item.Value), "1")
			ok("it has an etag", item.Etag != "")
		}
	},

	"GetBulkState": func(s *scene) {
		s.save("many1", "1")
		s.save("many2", `"two"`)
		items, err := s.GetBulkState(s.ctx, store, []string{"many1", "many2", "absent"}, nil, 2)
		must(err)
		got := map[string]string{}
		for _, item := range items {
			equal(item.Error, "")
			ok("an etag of what is there", (item.Etag != "") == (item.Key != "absent"))
			got[item.Key] = string(item.Value)
		}
		equal(got, map[string]string{"many1": "1", "many2": `"two"`, "absent": ""})
		_, err = s.GetBulkState(s.ctx, "nosuch", []string{"many1"}, nil, 1)
		fails(err, codes.InvalidArgument, "nosuch")
	},

	"QueryStateAlpha1": func(s *scene) {
		for key, city := range map[string]string{"p1": "Rome", "p2": "Oslo", "p3": "Rome"} {
			value, _ := json.Marshal(map[string]string{"city": city})
			must(s.SaveState(s.ctx, "people", key, value, map[string]string{"contentType": "application/json"}))
		}
		found := map[string]bool{}
		query, token := `{"filter":{"EQ":{"city":"Rome"}},"page":{"limit":1%s}}`, ""
		for range 2 {
			page, err := s.QueryStateAlpha1(s.ctx, "people", fmt.Sprintf(query, token), map[string]string{"contentType": "application/json"})
			must(err)
			equal(len(page.Results), 1)
			equal(string(page.Results[0].Value), `{"city":"Rome"}`)
			equal(page.Results[0].Error, "")
			found[page.Results[0].Key] = true
			token = fmt.Sprintf(`,"token":%q`, page.Token)
		}
		equal(found, map[string]bool{"p1": true, "p3": true})
		_, err := s.QueryStateAlpha1(s.ctx, store, `{"filter":{}}`, nil)
		ok("a store that cannot is named: "+fmt.Sprint(err), err != nil)
	},

	"DeleteState": func(s *scene) {
		s.save("deleted", "1")
		must(s.DeleteState(s.ctx, store, "deleted", nil))
		equal(s.value("deleted"), "")
		must(s.DeleteState(s.ctx, store, "deleted", nil))
		fails(s.DeleteState(s.ctx, "nosuch", "deleted", nil), codes.InvalidArgument, "nosuch")
	},

	"DeleteStateWithETag": func(s *scene) {
		s.save("kept", "1")
		options := &client.StateOptions{Concurrency: client.StateConcurrencyFirstWrite, Consistency: client.StateConsistencyStrong}
		tag := s.etag("kept")
		s.save("kept", "2")
		wrong := s.DeleteStateWithETag(s.ctx, store, "kept", &client.ETag{Value: tag}, nil, options)
		fails(wrong, codes.Aborted, "kept")
		must(s.DeleteStateWithETag(s.ctx, store, "kept", &client.ETag{Value: s.etag("kept")}, nil, options))
		equal(s.value("kept"), "")
	},

	"DeleteBulkState": func(s *scene) {
		s.save("gone1", "1")
		s.save("gone2", "2")
		must(s.DeleteBulkState(s.ctx, store, []string{"gone1", "gone2", "absent"}, nil))
		equal(s.value("gone1")+s.value("gone2"), "")
	},

	"DeleteBulkStateItems": func(s *scene) {
		s.save("item1", "1")
		s.save("item2", "2")
		must(s.DeleteBulkStateItems(s.ctx, store, []*client.DeleteStateItem{
			{Key: "item1", Etag: &client.ETag{Value: s.etag("item1")}, Metadata: map[string]string{"a": "b"}},
			{Key: "item2", Options: &client.StateOptions{Concurrency: client.StateConcurrencyLastWrite}},
		}))
		equal(s.value("item1")+s.value("item2"), "")
	},

	"ExecuteStateTransaction": func(s *scene) {
		s.save("changed", "1")
		s.save("removed", "1")
		stale := s.etag("changed")
		upsert := func(key, value string, tag *client.ETag) *client.StateOperation {
			return &client.StateOperation{Type: client.StateOperationTypeUpsert,
				Item: &client.SetStateItem{Key: key, Value: []byte(value), Etag: tag}}
		}
		must(s.ExecuteStateTransaction(s.ctx, store, map[string]string{"a": "b"}, []*client.StateOperation{
			upsert("changed", "2", &client.ETag{Value: stale}),
			upsert("added", "3", nil),
			{Type: client.StateOperationTypeDelete, Item: &client.SetStateItem{Key: "removed"}},
		}))
		equal(s.value("changed")+s.value("added")+s.value("removed"), "23")
		err := s.ExecuteStateTransaction(s.ctx, store, nil, []*client.StateOperation{
			upsert("added", "4", nil), upsert("changed", "5", &client.ETag{Value: stale}),
		})
		ok(fmt.Sprintf("refused: %v %v", codeOf(err), err), err != nil)
		equal(s.value("changed")+s.value("added"), "23")
		fails(s.ExecuteStateTransaction(s.ctx, "nosuch", nil, []*client.StateOperation{upsert("added", "4", nil)}),
			codes.InvalidArgument, "nosuch")
	},
}
