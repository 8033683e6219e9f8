package outrigger.sdk;

import static outrigger.sdk.Check.equal;
import static outrigger.sdk.Check.fails;
import static outrigger.sdk.Check.must;

import java.util.Map;
import java.util.TreeMap;

/** All calls by the name of the method. */
final class Calls {
  private Calls() {}

  static Map<String, Call> all() {
    Map<String, Call> all = new TreeMap<>();
    all.putAll(StateCalls.ALL);
    all.putAll(MessageCalls.ALL);
    all.putAll(ItemCalls.ALL);
    all.putAll(Generation.CALLS);
    all.put("waitForSidecar", scene -> must(scene.client().waitForSidecar(5000)));
    return all;
  }

  /** Of a sidecar that wants a token, whose end the test waits for. */
  static void shutdown(Scene scene) {
    must(scene.client().saveState("store", "any", "1"));
    equal(must(scene.client().getState("store", "any", String.class)).getValue(), "1");
    System.setProperty("dapr.api.token", "wrong");
    fails(Generation.another().getState("store", "any", String.class), "");
    System.setProperty("dapr.api.token", "token");
    must(scene.client().shutdown());
  }
}
