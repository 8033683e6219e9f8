package outrigger.sdk;

import io.dapr.client.DaprClient;
import io.dapr.client.DaprPreviewClient;

/** What a call gets. */
record Scene(String protocol, DaprClient client, DaprPreviewClient preview) {
  boolean overHttp() {
    return protocol.equals("HTTP");
  }
}
