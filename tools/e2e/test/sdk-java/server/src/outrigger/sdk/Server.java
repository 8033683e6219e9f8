package outrigger.sdk;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.dapr.Rule;
import io.dapr.Topic;
import io.dapr.client.domain.BulkSubscribeAppResponse;
import io.dapr.client.domain.BulkSubscribeAppResponseEntry;
import io.dapr.client.domain.BulkSubscribeAppResponseStatus;
import io.dapr.client.domain.BulkSubscribeMessage;
import io.dapr.client.domain.CloudEvent;
import io.dapr.springboot.annotations.BulkSubscribe;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** An application of Spring Boot with a handler of every kind, which reports what comes to them, as lines of JSON: PORT. */
@SpringBootApplication(scanBasePackages = {"io.dapr.springboot", "outrigger.sdk"})
@RestController
public class Server {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String BROKER = "pubsub";

  private final AtomicInteger tries = new AtomicInteger();

  public record Order(int n, boolean urgent) {}

  public static void main(String[] args) throws Exception {
    SpringApplication application = new SpringApplication(Server.class);
    application.setDefaultProperties(Map.of(
        "server.address", "127.0.0.1", "server.port", args[0],
        "spring.main.banner-mode", "off", "logging.level.root", "off"));
    var context = application.run();
    report(Map.of("ready", true));
    // It ends with its input.
    System.in.read();
    context.close();
    System.exit(0);
  }

  private static synchronized void report(Map<String, ?> line) {
    try {
      System.out.println(JSON.writeValueAsString(line));
    } catch (Exception problem) {
      throw new IllegalStateException(problem);
    }
  }

  private static void got(String name, CloudEvent<Order> event) {
    Map<String, Object> said = new HashMap<>();
    said.put("id", event.getId());
    said.put("type", event.getType());
    said.put("topic", event.getTopic());
    said.put("pubsubname", event.getPubsubName());
    said.put("traced", event.getTraceParent() != null);
    said.put("n", event.getData() == null ? null : event.getData().n());
    report(Map.of("got", name, "event", said));
  }

  @Topic(name = "plain", pubsubName = BROKER, metadata = "{\"a\":\"b\"}")
  @PostMapping("/plain")
  public Mono<Void> plain(@RequestBody CloudEvent<Order> event) {
    return Mono.fromRunnable(() -> got("plain", event));
  }

  @Topic(name = "retried", pubsubName = BROKER)
  @PostMapping("/retried")
  public ResponseEntity<String> retried(@RequestBody CloudEvent<Order> event) {
    got("retried", event);
    return ResponseEntity.status(tries.getAndIncrement() == 0 ? HttpStatus.INTERNAL_SERVER_ERROR : HttpStatus.OK).build();
  }

  @Topic(name = "dropped", pubsubName = BROKER, deadLetterTopic = "dead")
  @PostMapping("/dropped")
  public Map<String, String> dropped(@RequestBody CloudEvent<Order> event) {
    got("dropped", event);
    return Map.of("status", "DROP");
  }

  @Topic(name = "dead", pubsubName = BROKER)
  @PostMapping("/dead")
  public void dead(@RequestBody CloudEvent<Order> event) {
    got("dead", event);
  }

  @Topic(name = "raw", pubsubName = BROKER, metadata = "{\"rawPayload\":\"true\"}")
  @PostMapping("/raw")
  public void raw(@RequestBody byte[] body) {
    report(Map.of("got", "raw", "event", Map.of("body", new String(body))));
  }

  @Topic(name = "ruled", pubsubName = BROKER)
  @PostMapping("/other")
  public void other(@RequestBody CloudEvent<Order> event) {
    got("other", event);
  }

  @Topic(name = "ruled", pubsubName = BROKER, rule = @Rule(match = "event.type == \"order\"", priority = 2))
  @PostMapping("/order")
  public void order(@RequestBody CloudEvent<Order> event) {
    got("order", event);
  }

  @Topic(name = "ruled", pubsubName = BROKER,
      rule = @Rule(match = "event.type == \"order\" && event.data.urgent", priority = 1))
  @PostMapping("/urgent")
  public void urgent(@RequestBody CloudEvent<Order> event) {
    got("urgent", event);
  }

  @BulkSubscribe(maxMessagesCount = 5, maxAwaitDurationMs = 20)
  @Topic(name = "bulk", pubsubName = BROKER)
  @PostMapping("/bulk")
  public BulkSubscribeAppResponse bulk(@RequestBody BulkSubscribeMessage<CloudEvent<Order>> message) {
    List<BulkSubscribeAppResponseEntry> answers = message.getEntries().stream().map(entry -> {
      got("bulk", entry.getEvent());
      return new BulkSubscribeAppResponseEntry(entry.getEntryId(), BulkSubscribeAppResponseStatus.SUCCESS);
    }).toList();
    report(Map.of("got", "batch", "event", Map.of("topic", message.getTopic(), "entries", answers.size())));
    return new BulkSubscribeAppResponse(answers);
  }

  @PostMapping("/ticks")
  public void ticks() {
    report(Map.of("got", "ticks", "event", Map.of()));
  }

  @PutMapping("/echo")
  public Map<String, Object> echo(@RequestBody Order order, @RequestParam String a, @RequestHeader("x-mine") String mine) {
    return Map.of("order", order, "a", a, "mine", mine);
  }

  @PutMapping("/failing")
  public Map<String, Object> failing() {
    throw new IllegalStateException("it cannot be done");
  }
}
