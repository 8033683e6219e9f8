package outrigger.sdk;

import static outrigger.sdk.Check.check;
import static outrigger.sdk.Check.equal;
import static outrigger.sdk.Check.fails;
import static outrigger.sdk.Check.must;

import io.dapr.client.DaprClient;
import io.dapr.client.DaprPreviewClient;
import io.dapr.client.domain.DeleteStateRequest;
import io.dapr.client.domain.ExecuteStateTransactionRequest;
import io.dapr.client.domain.GetBulkStateRequest;
import io.dapr.client.domain.GetStateRequest;
import io.dapr.client.domain.QueryStateRequest;
import io.dapr.client.domain.QueryStateResponse;
import io.dapr.client.domain.SaveStateRequest;
import io.dapr.client.domain.State;
import io.dapr.client.domain.StateOptions;
import io.dapr.client.domain.TransactionalStateOperation;
import io.dapr.client.domain.TransactionalStateOperation.OperationType;
import io.dapr.client.domain.query.Pagination;
import io.dapr.client.domain.query.Query;
import io.dapr.client.domain.query.filters.EqFilter;
import io.dapr.utils.TypeRef;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import reactor.core.publisher.Mono;

final class StateCalls {
  static final StateOptions FIRST =
      new StateOptions(StateOptions.Consistency.STRONG, StateOptions.Concurrency.FIRST_WRITE);
  static final Map<String, Call> ALL = Map.of(
      "saveState", StateCalls::saveState,
      "saveBulkState", StateCalls::saveBulkState,
      "getState", StateCalls::getState,
      "getBulkState", StateCalls::getBulkState,
      "deleteState", StateCalls::deleteState,
      "executeStateTransaction", StateCalls::executeStateTransaction,
      "queryState", StateCalls::queryState);

  private static final String STORE = "store";
  private static final TypeRef<Item> ITEM = TypeRef.get(Item.class);

  private StateCalls() {}

  /** A value as applications have them. */
  public record Item(String name, long count) {}

  private static State<Item> read(Scene scene, String key) {
    return must(scene.client().getState(STORE, key, Item.class));
  }

  private static void saveState(Scene scene) {
    DaprClient client = scene.client();
    Item item = new Item("saved", 9007199254740993L);
    must(client.saveState(STORE, "saved", item));
    State<Item> saved = read(scene, "saved");
    equal(saved.getValue(), item);
    check(saved.getEtag() != null && !saved.getEtag().isEmpty(), "an etag");
    must(client.saveState(STORE, "saved", saved.getEtag(), new Item("again", 2), FIRST));
    equal(read(scene, "saved").getValue(), new Item("again", 2));
    fails(client.saveState(STORE, "saved", saved.getEtag(), item, FIRST), "saved");
    equal(read(scene, "saved").getValue(), new Item("again", 2));
    byte[] bytes = {0, 1, -1};
    must(client.saveState(STORE, "bytes", bytes));
    // Over HTTP the SDK writes Base64, and does not read it.
    byte[] want = scene.overHttp() ? "\"AAH/\"".getBytes(StandardCharsets.UTF_8) : bytes;
    equal(must(client.getState(STORE, "bytes", byte[].class)).getValue(), want);
    fails(client.saveState("nosuch", "saved", item), "nosuch");
    Generation.saveState(scene);
  }

  private static void saveBulkState(Scene scene) {
    DaprClient client = scene.client();
    Map<String, String> ttl = Map.of("ttlInSeconds", "100");
    List<State<?>> states = List.of(
        new State<>("bulk1", new Item("one", 1), null), new State<>("bulk2", new Item("two", 2), null, ttl, FIRST));
    must(client.saveBulkState(STORE, states));
    equal(read(scene, "bulk1").getValue(), new Item("one", 1));
    State<Item> second = must(client.getState(STORE, "bulk2", ITEM));
    equal(second.getValue(), new Item("two", 2));
    State<Item> change = new State<>("bulk2", new Item("three", 3), second.getEtag(), FIRST);
    must(client.saveBulkState(new SaveStateRequest(STORE).setStates(change)));
    equal(read(scene, "bulk2").getValue(), new Item("three", 3));
    fails(client.saveBulkState("nosuch", states), "nosuch");
  }

  private static void getState(Scene scene) {
    DaprClient client = scene.client();
    Item item = new Item("got", 1);
    must(client.saveState(STORE, "got", item));
    for (Mono<State<Item>> form : List.of(
        client.getState(STORE, "got", Item.class),
        client.getState(STORE, "got", ITEM),
        client.getState(STORE, "got", FIRST, Item.class),
        client.getState(STORE, "got", FIRST, ITEM),
        client.getState(STORE, new State<Item>("got", "", FIRST), Item.class),
        client.getState(STORE, new State<Item>("got", "", FIRST), ITEM),
        client.getState(new GetStateRequest(STORE, "got").setMetadata(Map.of("a", "b")), ITEM))) {
      State<Item> got = must(form);
      equal(got.getValue(), item);
      equal(got.getKey(), "got");
      check(!got.getEtag().isEmpty(), "an etag");
    }
    State<Item> absent = read(scene, "absent");
    equal(absent.getValue(), null);
    fails(client.getState("nosuch", "got", Item.class), "nosuch");
  }

  private static void getBulkState(Scene scene) {
    DaprClient client = scene.client();
    must(client.saveState(STORE, "many1", new Item("one", 1)));
    must(client.saveState(STORE, "many2", new Item("two", 2)));
    List<String> keys = List.of("many1", "many2", "absent");
    for (Mono<List<State<Item>>> form : List.of(
        client.getBulkState(STORE, keys, Item.class),
        client.getBulkState(STORE, keys, ITEM),
        client.getBulkState(new GetBulkStateRequest(STORE, keys).setParallelism(2).setMetadata(Map.of("a", "b")), ITEM))) {
      Map<String, Item> found = new java.util.HashMap<>();
      for (State<Item> each : must(form)) {
        equal(each.getError(), null);
        found.put(each.getKey(), each.getValue());
      }
      equal(found.get("many1"), new Item("one", 1));
      equal(found.get("many2"), new Item("two", 2));
      equal(found.get("absent"), null);
      equal(found.size(), 3);
    }
    fails(client.getBulkState("nosuch", keys, Item.class), "nosuch");
  }

  private static void deleteState(Scene scene) {
    DaprClient client = scene.client();
    must(client.saveState(STORE, "gone", new Item("x", 1)));
    must(client.deleteState(STORE, "gone"));
    equal(read(scene, "gone").getValue(), null);
    must(client.saveState(STORE, "gone", new Item("x", 1)));
    String stale = read(scene, "gone").getEtag();
    must(client.saveState(STORE, "gone", new Item("x", 2)));
    fails(client.deleteState(STORE, "gone", stale, FIRST), "gone");
    must(client.deleteState(STORE, "gone", read(scene, "gone").getEtag(), FIRST));
    equal(read(scene, "gone").getValue(), null);
    must(client.deleteState(new DeleteStateRequest(STORE, "gone").setMetadata(Map.of("a", "b"))));
    fails(client.deleteState("nosuch", "gone"), "nosuch");
  }

  private static void executeStateTransaction(Scene scene) {
    DaprClient client = scene.client();
    must(client.saveState(STORE, "changed", new Item("x", 1)));
    must(client.saveState(STORE, "removed", new Item("x", 1)));
    String stale = read(scene, "changed").getEtag();
    TransactionalStateOperation<?> change = upsert("changed", new Item("x", 2), stale);
    must(client.executeStateTransaction(STORE, List.of(
        change, upsert("added", new Item("x", 3), null),
        new TransactionalStateOperation<>(OperationType.DELETE, new State<Item>("removed", "", null)))));
    equal(read(scene, "changed").getValue(), new Item("x", 2));
    equal(read(scene, "added").getValue(), new Item("x", 3));
    equal(read(scene, "removed").getValue(), null);
    fails(client.executeStateTransaction(STORE, List.of(upsert("added", new Item("x", 4), null), change)), "");
    equal(read(scene, "added").getValue(), new Item("x", 3));
    must(client.executeStateTransaction(new ExecuteStateTransactionRequest(STORE)
        .setMetadata(Map.of("a", "b")).setOperations(List.of(upsert("added", new Item("x", 5), null)))));
    equal(read(scene, "added").getValue(), new Item("x", 5));
    fails(client.executeStateTransaction("nosuch", List.of(change)), "nosuch");
  }

  private static TransactionalStateOperation<Item> upsert(String key, Item item, String etag) {
    return new TransactionalStateOperation<>(OperationType.UPSERT, new State<>(key, item, etag, etag == null ? null : FIRST));
  }

  private static void queryState(Scene scene) {
    DaprPreviewClient preview = scene.preview();
    Map<String, String> json = Map.of("contentType", "application/json");
    List<State<?>> people = new ArrayList<>();
    for (String name : List.of("Ann", "Bob"))
      people.add(new State<>(name, new Item(name, 1), null, json, null));
    must(scene.client().saveBulkState("people", people));
    Query query = new Query().setFilter(new EqFilter<>("name", "Bob")).setPagination(new Pagination(5, null));
    String text = "{\"filter\":{\"EQ\":{\"name\":\"Bob\"}},\"page\":{\"limit\":5}}";
    for (Mono<QueryStateResponse<Item>> form : List.of(
        preview.queryState("people", text, json, Item.class),
        preview.queryState("people", text, json, ITEM),
        preview.queryState("people", text, Item.class),
        preview.queryState("people", text, ITEM),
        preview.queryState("people", query, json, Item.class),
        preview.queryState("people", query, json, ITEM),
        preview.queryState("people", query, Item.class),
        preview.queryState("people", query, ITEM),
        preview.queryState(new QueryStateRequest("people").setQuery(query), Item.class),
        preview.queryState(new QueryStateRequest("people").setQueryString(text).setMetadata(json), ITEM))) {
      QueryStateResponse<Item> found = must(form);
      equal(found.getResults().size(), 1);
      equal(found.getResults().get(0).getKey(), "Bob");
      equal(found.getResults().get(0).getValue(), new Item("Bob", 1));
    }
    fails(preview.queryState(STORE, query, Item.class), "");
  }
}
