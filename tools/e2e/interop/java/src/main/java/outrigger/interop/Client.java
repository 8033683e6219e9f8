package outrigger.interop;

import com.google.protobuf.BytesValue;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status.Code;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import java.io.File;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/** The cases of the TypeScript clients, with grpc-java. */
final class Client {
  private interface Case {
    void run() throws Exception;
  }

  private static final int MEBIBYTE = 1024 * 1024;
  private static final byte[] LARGE = new byte[MEBIBYTE];
  private static final String TEXT = "a text: 100%, \"quoted\"; ~";
  private static final byte[] BINARY = {0, 1, 2, (byte) 253, (byte) 254, (byte) 255, ','};
  private static final CallOptions PLAIN = CallOptions.DEFAULT;
  private static final CallOptions GZIP = PLAIN.withCompression("gzip");
  private static final String HOUR = "3600000";

  private final Channel channel;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, Case> cases = new LinkedHashMap<>();

  static void callAll(String address, String ca) throws Exception {
    ChannelCredentials credentials =
        ca.isEmpty()
            ? InsecureChannelCredentials.create()
            : TlsChannelCredentials.newBuilder().trustManager(new File(ca)).build();
    String[] parts = address.split(":");
    var channel =
        NettyChannelBuilder.forAddress(
                new InetSocketAddress(parts[0], Integer.parseInt(parts[1])), credentials)
            .overrideAuthority("localhost")
            .build();
    Client client = new Client(channel);
    client.fill();
    client.cases.forEach(client::report);
    channel.shutdownNow();
    System.exit(0);
  }

  private Client(Channel channel) {
    this.channel = channel;
  }

  private void report(String name, Case each) {
    long began = System.nanoTime();
    String detail = "";
    Future<?> run =
        threads.submit(
            () -> {
              each.run();
              return null;
            });
    try {
      // Only ends what hangs.
      run.get(60, TimeUnit.SECONDS);
    } catch (Exception error) {
      detail = String.valueOf(error.getCause() == null ? error : error.getCause());
    }
    long ms = (System.nanoTime() - began) / 1_000_000;
    String text = detail.replaceAll("[\\\\\"\\p{Cntrl}]", " ");
    System.out.printf("{\"case\":\"%s\",\"ok\":%b,\"ms\":%d,\"detail\":\"%s\"}%n", name, detail.isEmpty(), ms, text);
  }

  private void fill() {
    cases.put("unary_small", () -> echo("hello".getBytes(), PLAIN));
    cases.put("unary_empty", () -> echo(new byte[0], PLAIN));
    cases.put("unary_3mib", () -> echo(new byte[3 * MEBIBYTE], PLAIN));
    cases.put("unary_5mib_sent", () -> code(unary(new byte[5 * MEBIBYTE], PLAIN), Code.RESOURCE_EXHAUSTED));
    cases.put(
        "unary_5mib_received",
        () -> code(unary(new byte[0], PLAIN, "x-size", "" + 5 * MEBIBYTE), Code.RESOURCE_EXHAUSTED));
    for (int count : new int[] {0, 1, 100, 2000}) {
      cases.put("server_stream_" + count, () -> serverStream(count, "again".getBytes()));
      cases.put("client_stream_" + count, () -> clientStream(count, Client::small));
      cases.put("bidi_" + count, () -> bidi(count, Client::small, PLAIN));
    }
    cases.put("bidi_ping_pong", this::pingPong);
    cases.put("large_server_stream", () -> serverStream(64, LARGE));
    cases.put("large_client_stream", () -> clientStream(64, index -> LARGE));
    cases.put("large_bidi", () -> bidi(64, index -> LARGE, PLAIN));
    cases.put("metadata_unary", () -> metadata(Main.UNARY));
    cases.put("metadata_stream", () -> metadata(Main.SERVER_STREAM));
    cases.put("error_unary", () -> failure(unary(new byte[0], PLAIN, "x-fail", "9"), Code.FAILED_PRECONDITION));
    cases.put("error_before_messages", () -> failsAfter(0));
    cases.put("error_after_messages", () -> failsAfter(3));
    cases.put("error_client_stream", () -> failsSending(Main.CLIENT_STREAM, 10, Client::small, "x-fail", "10"));
    cases.put(
        "error_early_client_stream",
        () -> failsSending(Main.CLIENT_STREAM, 64, index -> LARGE, "x-fail", "10", "x-early", "1"));
    cases.put(
        "error_early_bidi", () -> failsSending(Main.BIDI, 64, index -> LARGE, "x-fail", "10", "x-early", "1"));
    cases.put(
        "deadline_unary",
        () -> {
          code(unary(new byte[0], soon(), "x-id", "deadline-unary", "x-delay-ms", HOUR), Code.DEADLINE_EXCEEDED);
          reached("deadline-unary", "over");
        });
    cases.put(
        "deadline_stream",
        () -> {
          Exchange call = new Exchange(channel, Main.BIDI, soon(), "x-id", "deadline-stream");
          call.send(small(0));
          code(call, Code.DEADLINE_EXCEEDED);
          reached("deadline-stream", "over");
        });
    cases.put(
        "cancel_unary",
        () -> {
          Exchange call = unary(new byte[0], PLAIN, "x-id", "cancel-unary", "x-delay-ms", HOUR);
          reached("cancel-unary", "started");
          call.cancel();
          code(call, Code.CANCELLED);
          reached("cancel-unary", "over");
        });
    cases.put(
        "cancel_server_stream",
        () -> {
          Exchange call =
              new Exchange(
                  channel, Main.SERVER_STREAM, PLAIN, "x-id", "cancel-server-stream", "x-count", "1000000000");
          call.send(new byte[1000]);
          call.halfClose();
          for (int index = 0; index < 10; index++) same(call.receive(), new byte[1000]);
          call.cancel();
          code(call, Code.CANCELLED);
          reached("cancel-server-stream", "over");
        });
    cases.put(
        "cancel_bidi",
        () -> {
          Exchange call = new Exchange(channel, Main.BIDI, PLAIN, "x-id", "cancel-bidi");
          call.send(small(0));
          same(call.receive(), small(0));
          call.cancel();
          code(call, Code.CANCELLED);
          reached("cancel-bidi", "over");
        });
    cases.put(
        "concurrent_200",
        () -> {
          List<Exchange> calls = new ArrayList<>();
          for (int index = 0; index < 200; index++) calls.add(unary(small(index), PLAIN, "x-delay-ms", "100"));
          for (int index = 0; index < 200; index++) {
            same(calls.get(index).receive(), small(index));
            code(calls.get(index), Code.OK);
          }
        });
    cases.put("gzip_unary", () -> echo("compress me ".repeat(10_000).getBytes(), GZIP));
    cases.put("gzip_bidi", () -> bidi(100, Client::small, GZIP));
    cases.put(
        "unknown_method",
        () -> {
          Exchange call = new Exchange(channel, Main.NOTHING, PLAIN);
          call.send(new byte[0]);
          call.halfClose();
          code(call, Code.UNIMPLEMENTED);
        });
  }

  private static byte[] small(int index) {
    return ("message " + index).getBytes();
  }

  private static CallOptions soon() {
    return PLAIN.withDeadlineAfter(250, TimeUnit.MILLISECONDS);
  }

  private Exchange unary(byte[] payload, CallOptions options, String... metadata) throws Exception {
    Exchange call = new Exchange(channel, Main.UNARY, options, metadata);
    call.send(payload);
    call.halfClose();
    return call;
  }

  private void echo(byte[] payload, CallOptions options) throws Exception {
    Exchange call = unary(payload, options);
    same(call.receive(), payload);
    code(call, Code.OK);
  }

  private void serverStream(int count, byte[] payload) throws Exception {
    Exchange call = new Exchange(channel, Main.SERVER_STREAM, PLAIN, "x-count", "" + count);
    call.send(payload);
    call.halfClose();
    all(call, count, index -> payload);
  }

  private void clientStream(int count, IntFunction<byte[]> message) throws Exception {
    Exchange call = new Exchange(channel, Main.CLIENT_STREAM, PLAIN);
    long total = 0;
    for (int index = 0; index < count; index++) total += message.apply(index).length;
    sendAll(call, count, message);
    byte[] answer = Long.toString(total).getBytes();
    all(call, 1, index -> answer);
  }

  private void bidi(int count, IntFunction<byte[]> message, CallOptions options) throws Exception {
    Exchange call = new Exchange(channel, Main.BIDI, options);
    Future<?> sending =
        threads.submit(
            () -> {
              sendAll(call, count, message);
              return null;
            });
    all(call, count, message);
    sending.get();
  }

  private void pingPong() throws Exception {
    Exchange call = new Exchange(channel, Main.BIDI, PLAIN);
    for (int index = 0; index < 100; index++) {
      call.send(small(index));
      same(call.receive(), small(index));
    }
    call.halfClose();
    code(call, Code.OK);
  }

  private void metadata(MethodDescriptor<BytesValue, BytesValue> method) throws Exception {
    Metadata sent = Exchange.metadata("x-echo", TEXT);
    sent.put(Main.ECHO_BIN, BINARY);
    Exchange call = new Exchange(channel, method, PLAIN, sent);
    call.send(small(0));
    call.halfClose();
    code(call, Code.OK);
    same(call.headers.get(Main.key("x-echo")).getBytes(), TEXT.getBytes());
    same(call.trailers.get(Main.ECHO_BIN), BINARY);
  }

  private void failsAfter(int count) throws Exception {
    Exchange call = new Exchange(channel, Main.SERVER_STREAM, PLAIN, "x-fail", "5", "x-count", "" + count);
    call.send(small(0));
    call.halfClose();
    for (int index = 0; index < count; index++) same(call.receive(), small(0));
    same(call.receive(), null);
    failure(call, Code.NOT_FOUND);
  }

  private void failsSending(
      MethodDescriptor<BytesValue, BytesValue> method, int count, IntFunction<byte[]> message, String... metadata)
      throws Exception {
    Exchange call = new Exchange(channel, method, PLAIN, metadata);
    sendAll(call, count, message);
    same(call.receive(), null);
    failure(call, Code.ABORTED);
  }

  private static void sendAll(Exchange call, int count, IntFunction<byte[]> message) throws Exception {
    for (int index = 0; index < count; index++) if (!call.send(message.apply(index))) return;
    call.halfClose();
  }

  private static void all(Exchange call, int count, IntFunction<byte[]> expected) throws Exception {
    for (int index = 0; index < count; index++) {
      byte[] message = call.receive();
      if (message == null) throw new IllegalStateException("message " + index + ": " + call.status);
      same(message, expected.apply(index));
    }
    same(call.receive(), null);
    code(call, Code.OK);
  }

  /** Waits until the server says that the call has come so far. */
  private void reached(String id, String state) throws Exception {
    for (; ; Thread.sleep(5)) {
      byte[] answer = unary(new byte[0], PLAIN, "x-state", id).receive();
      if (answer == null) throw new IllegalStateException("no state");
      String found = new String(answer);
      // A call that was over before the server saw it is over as well.
      if (state.equals("over") ? !found.equals("started") : found.equals(state)) return;
    }
  }

  private static void same(byte[] found, byte[] expected) {
    if (Arrays.equals(found, expected)) return;
    throw new IllegalStateException(name(found) + " instead of " + name(expected));
  }

  private static String name(byte[] bytes) {
    return bytes == null ? "nothing" : bytes.length > 100 ? bytes.length + " bytes" : new String(bytes);
  }

  private static void code(Exchange call, Code code) throws Exception {
    if (call.end().getCode() != code) throw new IllegalStateException(call.status + " instead of " + code);
  }

  /** The error that x-fail asks for. */
  private static void failure(Exchange call, Code code) throws Exception {
    code(call, code);
    same(call.status.getDescription().getBytes(), Main.FAIL_MESSAGE.getBytes());
    var details = StatusProto.fromStatusAndTrailers(call.status, call.trailers).getDetailsList();
    if (details.size() != 1) throw new IllegalStateException(details.size() + " details");
    same(details.get(0).unpack(BytesValue.class).getValue().toByteArray(), Main.DETAIL.getBytes());
  }
}
