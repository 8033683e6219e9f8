package outrigger.sdk;

import io.dapr.client.DaprClient;
import io.dapr.client.DaprClientBuilder;
import io.dapr.client.domain.BulkPublishRequest;
import io.dapr.client.domain.InvokeBindingRequest;
import java.util.Map;

/** What only this generation has: nothing. */
final class Generation {
  static final Map<String, Call> CALLS = Map.of();

  private Generation() {}

  static DaprClient another() {
    return new DaprClientBuilder().build();
  }

  static void saveState(Scene scene) {}

  static void publishEvents(Scene scene, BulkPublishRequest<MessageCalls.Order> request) {}

  static void invokeBinding(Scene scene, InvokeBindingRequest request) {}
}
