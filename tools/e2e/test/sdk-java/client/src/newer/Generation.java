package outrigger.sdk;

import static outrigger.sdk.Check.PATIENCE;
import static outrigger.sdk.Check.check;
import static outrigger.sdk.Check.equal;
import static outrigger.sdk.Check.fails;
import static outrigger.sdk.Check.must;
import static outrigger.sdk.Check.refused;
import static outrigger.sdk.MessageCalls.BROKER;
import static outrigger.sdk.MessageCalls.TOPIC;

import io.dapr.client.DaprClient;
import io.dapr.client.DaprClientBuilder;
import io.dapr.client.SubscriptionListener;
import io.dapr.client.domain.BulkPublishRequest;
import io.dapr.client.domain.CloudEvent;
import io.dapr.client.domain.ConversationRequest;
import io.dapr.client.domain.ConversationRequestAlpha2;
import io.dapr.client.domain.DaprMetadata;
import io.dapr.client.domain.DecryptRequestAlpha1;
import io.dapr.client.domain.DeleteJobRequest;
import io.dapr.client.domain.EncryptRequestAlpha1;
import io.dapr.client.domain.GetJobRequest;
import io.dapr.client.domain.InvokeBindingRequest;
import io.dapr.client.domain.ScheduleJobRequest;
import io.dapr.client.domain.State;
import io.dapr.utils.TypeRef;
import io.dapr.v1.DaprGrpc;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import outrigger.sdk.MessageCalls.Order;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What only this generation has. */
final class Generation {
  static final Map<String, Call> CALLS = Map.ofEntries(
      Map.entry("encrypt", Generation::encrypt),
      Map.entry("decrypt", Generation::decrypt),
      Map.entry("getMetadata", Generation::getMetadata),
      Map.entry("newGrpcStub", Generation::newGrpcStub),
      Map.entry("subscribeToEvents", Generation::subscribeToEvents),
      Map.entry("subscribeToTopic", Generation::subscribeToTopic),
      Map.entry("scheduleJob", scene -> refused(scene.client().scheduleJob(new ScheduleJobRequest("j", Instant.now())))),
      Map.entry("getJob", scene -> refused(scene.client().getJob(new GetJobRequest("j")))),
      Map.entry("deleteJob", scene -> refused(scene.client().deleteJob(new DeleteJobRequest("j")))),
      Map.entry("converse", scene -> refused(scene.preview().converse(
          new ConversationRequest("llm", List.of(new io.dapr.client.domain.ConversationInput("hello")))))),
      Map.entry("converseAlpha2", scene -> refused(scene.preview().converseAlpha2(new ConversationRequestAlpha2("llm", List.of(
          new io.dapr.client.domain.ConversationInputAlpha2(List.of(new io.dapr.client.domain.UserMessage(
              List.of(new io.dapr.client.domain.ConversationMessageContent("hello"))))))))))
  );

  private static final TypeRef<Order> ORDER = TypeRef.get(Order.class);
  private static final TypeRef<CloudEvent<Order>> EVENT = new TypeRef<>() {};

  private Generation() {}

  static DaprClient another() {
    return new DaprClientBuilder().build();
  }

  static void saveState(Scene scene) {
    must(scene.client().saveState("store", "ttl", null, "x", Map.of("ttlInSeconds", "100"), null));
    State<String> saved = must(scene.client().getState("store", "ttl", String.class));
    equal(saved.getValue(), "x");
    check(saved.getMetadata().containsKey("ttlExpireTime"), "the time of its end in " + saved.getMetadata());
  }

  static void publishEvents(Scene scene, BulkPublishRequest<Order> request) {
    Order order = new Order("stable");
    Map<String, String> metadata = Map.of("a", "b");
    for (var form : List.of(
        scene.client().publishEvents(request),
        scene.client().publishEvents(BROKER, TOPIC, "application/json", List.of(order, order)),
        scene.client().publishEvents(BROKER, TOPIC, "application/json", order, order),
        scene.client().publishEvents(BROKER, TOPIC, "application/json", metadata, List.of(order)),
        scene.client().publishEvents(BROKER, TOPIC, "application/json", metadata, order)))
      equal(must(form).getFailedEntries().size(), 0);
  }

  static void invokeBinding(Scene scene, InvokeBindingRequest request) {
    must(scene.client().invokeBinding(request));
  }

  private static void encrypt(Scene scene) {
    byte[] plain = "plain text ".repeat(20_000).getBytes(StandardCharsets.UTF_8);
    for (String cipher : new String[] {null, "aes-gcm", "chacha20-poly1305"}) {
      byte[] sealed = all(scene.preview().encrypt(
          new EncryptRequestAlpha1("keys", chunks(plain), "aes.key", "A256KW").setDataEncryptionCipher(cipher)));
      check(new String(sealed, 0, 15, StandardCharsets.UTF_8).equals("dapr.io/enc/v1\n"), "a header");
      equal(all(scene.preview().decrypt(new DecryptRequestAlpha1("keys", chunks(sealed)))), plain);
    }
    fails(scene.preview().encrypt(new EncryptRequestAlpha1("nosuch", chunks(plain), "aes.key", "A256KW")).then(), "nosuch");
  }

  private static void decrypt(Scene scene) {
    byte[] text = "text".getBytes(StandardCharsets.UTF_8);
    byte[] sealed = all(scene.preview().encrypt(
        new EncryptRequestAlpha1("keys", chunks(text), "aes.key", "A256KW").setOmitDecryptionKeyName(true)));
    equal(all(scene.preview().decrypt(new DecryptRequestAlpha1("keys", chunks(sealed)).setKeyName("aes.key"))), text);
    fails(scene.preview().decrypt(new DecryptRequestAlpha1("keys", chunks(sealed))).then(), "");
    fails(scene.preview().decrypt(new DecryptRequestAlpha1("keys", chunks(text)).setKeyName("aes.key")).then(), "");
  }

  private static Flux<byte[]> chunks(byte[] bytes) {
    int size = 10_000;
    return Flux.range(0, (bytes.length + size - 1) / size)
        .map(index -> Arrays.copyOfRange(bytes, index * size, Math.min(bytes.length, (index + 1) * size)));
  }

  private static byte[] all(Flux<byte[]> chunks) {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    chunks.doOnNext(whole::writeBytes).blockLast(PATIENCE);
    return whole.toByteArray();
  }

  private static void getMetadata(Scene scene) {
    DaprMetadata metadata = must(scene.client().getMetadata());
    equal(metadata.getId(), "own");
    check(!metadata.getRuntimeVersion().isEmpty(), "a version");
    equal(metadata.getAppConnectionProperties().getProtocol(), "http");
    check(metadata.getComponents().stream().anyMatch(
        each -> each.getName().equals("store") && each.getType().equals("state.sqlite")), "its store");
    check(metadata.getSubscriptions().stream().anyMatch(
        each -> each.getTopic().equals(TOPIC) && each.getRules().get(0).getPath().equals("/orders")), "its subscription");
  }

  private static void newGrpcStub(Scene scene) {
    // A method that the sidecar has itself; others go to the application.
    DaprGrpc.DaprBlockingStub stub = scene.client().newGrpcStub("own", DaprGrpc::newBlockingStub);
    equal(stub.getMetadata(io.dapr.v1.DaprMetadataProtos.GetMetadataRequest.getDefaultInstance()).getId(), "own");
  }

  private static void subscribeToEvents(Scene scene) throws Exception {
    BlockingQueue<CloudEvent<Order>> got = new LinkedBlockingQueue<>();
    try (var subscription = scene.preview().subscribeToEvents(BROKER, "java-events", listener(got), ORDER)) {
      publishUntil(scene, "java-events", got);
      CloudEvent<Order> event = got.take();
      equal(event.getData(), new Order("streamed"));
      equal(event.getTopic(), "java-events");
      equal(event.getPubsubName(), BROKER);
      equal(event.getType(), "com.dapr.event.sent");
      // It was told to try again; others may come before.
      CloudEvent<Order> again;
      do again = got.poll(20, TimeUnit.SECONDS);
      while (again != null && !again.getId().equals(event.getId()));
      check(again != null, "the same event again");
    }
    BlockingQueue<Object> data = new LinkedBlockingQueue<>();
    stream(scene, "java-flux1", scene.preview().subscribeToEvents(BROKER, "java-flux1", ORDER), data);
    equal(data.take(), new Order("streamed"));
    stream(scene, "java-flux2", scene.preview().subscribeToEvents(BROKER, "java-flux2", EVENT, Map.of("a", "b")), data);
    equal(((CloudEvent<?>) data.take()).getData(), new Order("streamed"));
  }

  private static void subscribeToTopic(Scene scene) throws Exception {
    var preview = scene.preview();
    BlockingQueue<Object> data = new LinkedBlockingQueue<>();
    stream(scene, "java-topic1", preview.subscribeToTopic(BROKER, "java-topic1", ORDER), data);
    stream(scene, "java-topic2", preview.subscribeToTopic(BROKER, "java-topic2", ORDER, Map.of("a", "b")), data);
    for (int count = 0; count < 2; count++) equal(data.take(), new Order("streamed"));
  }

  private static <T> void stream(Scene scene, String topic, Flux<T> flux, BlockingQueue<Object> data) throws Exception {
    BlockingQueue<T> got = new LinkedBlockingQueue<>();
    Disposable subscription = flux.subscribe(got::add);
    publishUntil(scene, topic, got);
    data.add(got.take());
    subscription.dispose();
  }

  /** The SDK does not say when the sidecar has the subscription. */
  private static void publishUntil(Scene scene, String topic, BlockingQueue<?> got) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (got.isEmpty() && System.nanoTime() < end) {
      must(scene.client().publishEvent(BROKER, topic, new Order("streamed")));
      Thread.sleep(50);
    }
    check(!got.isEmpty(), "an event of " + topic);
  }

  private static SubscriptionListener<Order> listener(BlockingQueue<CloudEvent<Order>> got) {
    AtomicInteger tries = new AtomicInteger();
    return new SubscriptionListener<>() {
      @Override
      public Mono<Status> onEvent(CloudEvent<Order> event) {
        got.add(event);
        return Mono.just(tries.getAndIncrement() == 0 ? Status.RETRY : Status.SUCCESS);
      }

      @Override
      public void onError(RuntimeException error) {}
    };
  }
}
