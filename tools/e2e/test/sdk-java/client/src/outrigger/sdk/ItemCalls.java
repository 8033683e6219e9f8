package outrigger.sdk;

import static outrigger.sdk.Check.PATIENCE;
import static outrigger.sdk.Check.check;
import static outrigger.sdk.Check.equal;
import static outrigger.sdk.Check.fails;
import static outrigger.sdk.Check.must;

import io.dapr.client.DaprClient;
import io.dapr.client.domain.ConfigurationItem;
import io.dapr.client.domain.GetBulkSecretRequest;
import io.dapr.client.domain.GetConfigurationRequest;
import io.dapr.client.domain.GetSecretRequest;
import io.dapr.client.domain.LockRequest;
import io.dapr.client.domain.SubscribeConfigurationRequest;
import io.dapr.client.domain.SubscribeConfigurationResponse;
import io.dapr.client.domain.UnlockRequest;
import io.dapr.client.domain.UnlockResponseStatus;
import io.dapr.client.domain.UnsubscribeConfigurationRequest;
import io.dapr.client.domain.UnsubscribeConfigurationResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Secrets, configuration, locks. */
final class ItemCalls {
  static final Map<String, Call> ALL = Map.of(
      "getSecret", ItemCalls::getSecret,
      "getBulkSecret", ItemCalls::getBulkSecret,
      "getConfiguration", ItemCalls::getConfiguration,
      "subscribeConfiguration", ItemCalls::subscribeConfiguration,
      "unsubscribeConfiguration", ItemCalls::unsubscribeConfiguration,
      "tryLock", ItemCalls::tryLock,
      "unlock", ItemCalls::unlock);

  private static final String SETTINGS = "settings";
  private static final Map<String, String> METADATA = Map.of("a", "b");

  private ItemCalls() {}

  private static void getSecret(Scene scene) {
    DaprClient client = scene.client();
    for (Mono<Map<String, String>> form : List.of(
        client.getSecret("vault", "password"),
        client.getSecret("vault", "password", METADATA),
        client.getSecret(new GetSecretRequest("vault", "password").setMetadata(METADATA))))
      equal(must(form), Map.of("password", "swordfish"));
    fails(client.getSecret("vault", "absent"), "absent");
    fails(client.getSecret("nosuch", "password"), "nosuch");
  }

  private static void getBulkSecret(Scene scene) {
    DaprClient client = scene.client();
    for (Mono<Map<String, Map<String, String>>> form : List.of(
        client.getBulkSecret("vault"),
        client.getBulkSecret("vault", METADATA),
        client.getBulkSecret(new GetBulkSecretRequest("vault").setMetadata(METADATA))))
      equal(must(form), Map.of("password", Map.of("password", "swordfish"), "db:user", Map.of("db:user", "sa")));
    fails(client.getBulkSecret("nosuch"), "nosuch");
  }

  private static void getConfiguration(Scene scene) {
    DaprClient client = scene.client();
    equal(must(client.getConfiguration(SETTINGS, "colour")).getValue(), "red");
    equal(must(client.getConfiguration(SETTINGS, "colour", METADATA)).getKey(), "colour");
    List<String> keys = List.of("colour", "size", "absent");
    for (Mono<Map<String, ConfigurationItem>> form : List.of(
        client.getConfiguration(SETTINGS, "colour", "size", "absent"),
        client.getConfiguration(SETTINGS, keys, METADATA),
        client.getConfiguration(new GetConfigurationRequest(SETTINGS, keys).setMetadata(METADATA)))) {
      Map<String, ConfigurationItem> items = must(form);
      equal(items.size(), 2);
      equal(items.get("size").getValue(), "large");
    }
    fails(client.getConfiguration("nosuch", "colour"), "nosuch");
  }

  /** The test changes it again and again. */
  private static void subscribeConfiguration(Scene scene) {
    DaprClient client = scene.client();
    List<String> keys = List.of("followed");
    for (Flux<SubscribeConfigurationResponse> form : List.of(
        client.subscribeConfiguration(SETTINGS, "followed"),
        client.subscribeConfiguration(SETTINGS, keys, METADATA),
        client.subscribeConfiguration(new SubscribeConfigurationRequest(SETTINGS, keys).setMetadata(METADATA)))) {
      // Over HTTP it tells the id, and an application hears of changes.
      if (scene.overHttp()) {
        check(!form.blockFirst(PATIENCE).getSubscriptionId().isEmpty(), "an id");
        continue;
      }
      SubscribeConfigurationResponse heard =
          form.filter(each -> !each.getItems().isEmpty()).take(2).blockLast(PATIENCE);
      check(!heard.getSubscriptionId().isEmpty(), "an id");
      check(!heard.getItems().get("followed").getValue().isEmpty(), "a value");
    }
  }

  private static void unsubscribeConfiguration(Scene scene) throws Exception {
    DaprClient client = scene.client();
    for (int form = 0; form < 2; form++) {
      CompletableFuture<String> id = new CompletableFuture<>();
      var subscription = client.subscribeConfiguration(SETTINGS, "followed")
          .subscribe(each -> id.complete(each.getSubscriptionId()), id::completeExceptionally);
      String known = id.get(20, java.util.concurrent.TimeUnit.SECONDS);
      UnsubscribeConfigurationResponse answer = must(form == 0
          ? client.unsubscribeConfiguration(known, SETTINGS)
          : client.unsubscribeConfiguration(new UnsubscribeConfigurationRequest(known, SETTINGS)));
      check(answer.getIsUnsubscribed(), "it ended: " + answer.getMessage());
      subscription.dispose();
    }
  }

  private static void tryLock(Scene scene) {
    equal(must(scene.preview().tryLock("locks", "taken", "me", 60)), true);
    equal(must(scene.preview().tryLock(new LockRequest("locks", "taken", "you", 60))), false);
    fails(scene.preview().tryLock("nosuch", "taken", "me", 60), "nosuch");
  }

  private static void unlock(Scene scene) {
    equal(must(scene.preview().unlock("locks", "it", "me")), UnlockResponseStatus.LOCK_UNEXIST);
    must(scene.preview().tryLock("locks", "it", "me", 60));
    equal(must(scene.preview().unlock("locks", "it", "you")), UnlockResponseStatus.LOCK_BELONG_TO_OTHERS);
    equal(must(scene.preview().unlock(new UnlockRequest("locks", "it", "me"))), UnlockResponseStatus.SUCCESS);
  }
}
