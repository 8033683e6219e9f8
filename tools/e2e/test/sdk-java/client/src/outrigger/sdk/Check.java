package outrigger.sdk;

import io.dapr.exceptions.DaprException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import reactor.core.publisher.Mono;

final class Check {
  // Only ends what hangs.
  static final Duration PATIENCE = Duration.ofSeconds(20);

  private Check() {}

  static <T> T must(Mono<T> work) {
    return work.block(PATIENCE);
  }

  static void equal(Object got, Object want) {
    boolean same = got instanceof byte[] bytes ? Arrays.equals(bytes, (byte[]) want) : Objects.equals(got, want);
    if (!same) throw new AssertionError("got " + got + ", want " + want);
  }

  static void check(boolean is, String what) {
    if (!is) throw new AssertionError("it is not so: " + what);
  }

  /** It fails as the sidecar says, and says what is wrong. */
  static DaprException fails(Mono<?> work, String text) {
    try {
      work.block(PATIENCE);
    } catch (DaprException error) {
      check(error.getMessage().contains(text), text + " in " + error.getMessage());
      return error;
    }
    throw new AssertionError("it did not fail");
  }

  /** What the sidecar does not have yet: it says so. */
  static void refused(Mono<?> work) {
    equal(fails(work, "").getErrorCode(), "UNIMPLEMENTED");
  }
}
