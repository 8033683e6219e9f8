package outrigger.sdk;

import static outrigger.sdk.Check.check;
import static outrigger.sdk.Check.equal;
import static outrigger.sdk.Check.fails;
import static outrigger.sdk.Check.must;

import io.dapr.client.DaprClient;
import io.dapr.client.DaprHttp;
import io.dapr.client.domain.BulkPublishEntry;
import io.dapr.client.domain.BulkPublishRequest;
import io.dapr.client.domain.BulkPublishResponse;
import io.dapr.client.domain.CloudEvent;
import io.dapr.client.domain.HttpExtension;
import io.dapr.client.domain.InvokeBindingRequest;
import io.dapr.client.domain.InvokeMethodRequest;
import io.dapr.client.domain.PublishEventRequest;
import io.dapr.utils.TypeRef;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import reactor.core.publisher.Mono;

/** Publishing, whose events an application gets that the test looks into; bindings; invocation. */
final class MessageCalls {
  static final Map<String, Call> ALL = Map.of(
      "publishEvent", MessageCalls::publishEvent,
      "publishEvents", MessageCalls::publishEvents,
      "invokeBinding", MessageCalls::invokeBinding,
      "invokeMethod", MessageCalls::invokeMethod);

  static final String BROKER = "broker";
  static final String TOPIC = "orders";

  private MessageCalls() {}

  public record Order(String mark) {}

  private static void publishEvent(Scene scene) {
    DaprClient client = scene.client();
    must(client.publishEvent(BROKER, TOPIC, new Order("object")));
    must(client.publishEvent(BROKER, TOPIC, "text"));
    must(client.publishEvent(BROKER, TOPIC, new Order("metadata"), Map.of("cloudevent.type", "special", "ttlInSeconds", "100")));
    must(client.publishEvent(BROKER, TOPIC, new Order("raw"), Map.of("rawPayload", "true")));
    must(client.publishEvent(new PublishEventRequest(BROKER, TOPIC, "plain").setContentType("text/plain")));
    must(client.publishEvent(new PublishEventRequest(BROKER, TOPIC, new byte[] {0, -1}).setContentType("application/octet-stream")));
    CloudEvent<Order> event = new CloudEvent<>("own", "here", "kind", "1.0", "application/json", new Order("event"));
    must(client.publishEvent(new PublishEventRequest(BROKER, TOPIC, event).setContentType(CloudEvent.CONTENT_TYPE)));
    fails(client.publishEvent("nosuch", TOPIC, "x"), "nosuch");
  }

  private static void publishEvents(Scene scene) {
    Order order = new Order("bulk");
    BulkPublishRequest<Order> request = new BulkPublishRequest<>(BROKER, TOPIC, List.of(
        new BulkPublishEntry<>("1", order, "application/json", Map.of("cloudevent.type", "entry"))), Map.of("a", "b"));
    Map<String, String> metadata = Map.of("a", "b");
    for (Mono<BulkPublishResponse<Order>> form : List.of(
        scene.preview().publishEvents(request),
        scene.preview().publishEvents(BROKER, TOPIC, "application/json", List.of(order, order)),
        scene.preview().publishEvents(BROKER, TOPIC, "application/json", order, order),
        scene.preview().publishEvents(BROKER, TOPIC, "application/json", metadata, List.of(order)),
        scene.preview().publishEvents(BROKER, TOPIC, "application/json", metadata, order))) {
      // The SDK has none over HTTP, and says so.
      if (scene.overHttp()) fails(form, "");
      else equal(must(form).getFailedEntries().size(), 0);
    }
    if (scene.overHttp()) return;
    fails(scene.preview().publishEvents("nosuch", TOPIC, "application/json", order), "nosuch");
    Generation.publishEvents(scene, request);
  }

  private static void invokeBinding(Scene scene) {
    DaprClient client = scene.client();
    Map<String, String> file = Map.of("fileName", "one.txt");
    byte[] words = "two words".getBytes(StandardCharsets.UTF_8);
    must(client.invokeBinding("files", "create", words, file));
    equal(must(client.invokeBinding("files", "get", null, file, byte[].class)), words);
    equal(must(client.invokeBinding("files", "get", null, file, TypeRef.BYTE_ARRAY)), words);
    InvokeBindingRequest get = new InvokeBindingRequest("files", "get").setMetadata(file);
    equal(must(client.invokeBinding(get, TypeRef.BYTE_ARRAY)), words);
    check(must(client.invokeBinding("files", "list", "{}".getBytes(StandardCharsets.UTF_8), TypeRef.STRING_ARRAY)) != null, "a list");
    check(must(client.invokeBinding("files", "list", new byte[0], List.class)).size() == 1, "one file");
    must(client.invokeBinding("files", "list", Map.of()));
    Generation.invokeBinding(scene, new InvokeBindingRequest("files", "delete").setMetadata(file));
    fails(client.invokeBinding("nosuch", "get", "x"), "nosuch");
    fails(client.invokeBinding("files", "nosuch", "x"), "");
  }

  public record Echo(String method, String body) {}

  private static void invokeMethod(Scene scene) {
    DaprClient client = scene.client();
    TypeRef<Echo> type = TypeRef.get(Echo.class);
    Map<String, String> metadata = Map.of("x-mine", "yes");
    HttpExtension query = new HttpExtension(DaprHttp.HttpMethods.POST, Map.of("a", List.of("1", "b c")), Map.of("x-other", "yes"));
    Echo posted = new Echo("POST", "{\"mark\":\"m\"}");
    Order order = new Order("m");
    for (Mono<Echo> form : List.of(
        client.invokeMethod("own", "echo", order, query, metadata, type),
        client.invokeMethod("own", "echo", order, query, metadata, Echo.class),
        client.invokeMethod("own", "echo", order, HttpExtension.POST, type),
        client.invokeMethod("own", "echo", order, HttpExtension.POST, Echo.class),
        client.invokeMethod(new InvokeMethodRequest("own", "echo").setBody(order).setHttpExtension(HttpExtension.POST)
            .setContentType("application/json").setMetadata(metadata), type)))
      equal(must(form), posted);
    equal(must(client.invokeMethod("own", "echo", HttpExtension.GET, metadata, type)), new Echo("GET", ""));
    equal(must(client.invokeMethod("own", "echo", HttpExtension.DELETE, metadata, Echo.class)), new Echo("DELETE", ""));
    must(client.invokeMethod("own", "echo", order, HttpExtension.PUT, metadata));
    must(client.invokeMethod("own", "echo", order, HttpExtension.POST));
    must(client.invokeMethod("own", "echo", HttpExtension.GET, metadata));
    byte[] answer = must(client.invokeMethod("own", "echo", new byte[] {65}, HttpExtension.PUT, metadata));
    equal(new String(answer, StandardCharsets.UTF_8), "{\"method\":\"PUT\",\"body\":\"A\"}");
    fails(client.invokeMethod("nosuch", "echo", HttpExtension.GET, metadata), "nosuch");
  }
}
