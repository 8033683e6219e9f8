package outrigger.sdk;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.dapr.client.DaprClient;
import io.dapr.client.DaprClientBuilder;
import io.dapr.client.DaprPreviewClient;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Calls every method of both clients, in all its forms, and reports which did what they should, as lines of JSON:
 * HTTP_PORT GRPC_PORT PROTOCOL, and the ports of a sidecar that wants a token.
 */
public final class Main {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Main() {}

  public static void main(String[] args) throws Exception {
    PrintStream errors = System.err;
    // Libraries log to it.
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    try {
      use(args[0], args[1], "");
      System.setProperty("dapr.api.protocol", args[2]);
      // The newer generation has HTTP only for this.
      System.setProperty("dapr.api.methodInvocation.protocol", args[2]);
      callAll(args[2], () -> use(args[3], args[4], "token"));
    } catch (Throwable problem) {
      problem.printStackTrace(errors);
    }
    // The SDK leaves threads behind.
    System.exit(0);
  }

  private static void use(String httpPort, String grpcPort, String token) {
    System.setProperty("dapr.http.port", httpPort);
    System.setProperty("dapr.grpc.port", grpcPort);
    System.setProperty("dapr.api.token", token);
  }

  private static void callAll(String protocol, Runnable useGuarded) throws Exception {
    Set<String> called = new HashSet<>();
    Map<String, String> failures = new TreeMap<>();
    try (DaprClient client = new DaprClientBuilder().build();
        DaprPreviewClient preview = new DaprClientBuilder().buildPreviewClient()) {
      Scene scene = new Scene(
          protocol, recording(DaprClient.class, client, called), recording(DaprPreviewClient.class, preview, called));
      for (Map.Entry<String, Call> each : Calls.all().entrySet())
        failures.put(each.getKey(), attempt(each.getValue(), scene));
    }
    useGuarded.run();
    try (DaprClient client = new DaprClientBuilder().build()) {
      Scene scene = new Scene(protocol, recording(DaprClient.class, client, called), null);
      failures.put("shutdown", attempt(Calls::shutdown, scene));
    }
    for (Class<?> face : new Class<?>[] {DaprClient.class, DaprPreviewClient.class}) {
      for (Method method : face.getDeclaredMethods()) {
        String failure = failures.get(method.getName());
        if (failure == null) failure = "nothing calls it";
        else if (failure.isEmpty() && !called.contains(nameOf(method))) failure = "not in this form";
        report(nameOf(method), failure);
      }
    }
  }

  private static String attempt(Call call, Scene scene) {
    try {
      call.of(scene);
      return "";
    } catch (Throwable problem) {
      // Where in a call it was, not in a check.
      String place = Arrays.stream(problem.getStackTrace())
          .filter(each -> each.getClassName().matches("outrigger\\.sdk\\.(\\w*Calls|Generation)"))
          .map(StackTraceElement::toString).findFirst().orElse("a lambda");
      return problem + " at " + place;
    }
  }

  /** The same, and it notes what is called. */
  private static <T> T recording(Class<T> face, T target, Set<String> called) {
    return face.cast(Proxy.newProxyInstance(face.getClassLoader(), new Class<?>[] {face}, (proxy, method, args) -> {
      called.add(nameOf(method));
      try {
        return method.invoke(target, args);
      } catch (InvocationTargetException wrapper) {
        throw wrapper.getCause();
      }
    }));
  }

  private static String nameOf(Method method) {
    return Stream.of(method.getParameterTypes()).map(Class::getSimpleName)
        .collect(Collectors.joining(",", method.getDeclaringClass().getSimpleName() + "." + method.getName() + "(", ")"));
  }

  private static void report(String name, String failure) throws Exception {
    System.out.println(JSON.writeValueAsString(Map.of("case", name, "ok", failure.isEmpty(), "detail", failure)));
  }
}
