package outrigger.interop;

import com.google.protobuf.Any;
import com.google.protobuf.BytesValue;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.TlsServerCredentials;
import io.grpc.protobuf.StatusProto;
import java.io.File;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The service, on calls as they are: messages are asked for one by one. */
final class Server {
  /** What became of the calls that have an x-id: "started" or "over". */
  private static final Map<String, String> STATES = new ConcurrentHashMap<>();

  private static final ScheduledExecutorService LATER = Executors.newSingleThreadScheduledExecutor();

  static void serve(int port, String cert, String key) throws Exception {
    var credentials =
        cert.isEmpty() ? InsecureServerCredentials.create() : TlsServerCredentials.create(new File(cert), new File(key));
    var builder = ServerServiceDefinition.builder(Main.SERVICE);
    for (var method :
        new MethodDescriptor[] {Main.UNARY, Main.SERVER_STREAM, Main.CLIENT_STREAM, Main.BIDI}) {
      @SuppressWarnings("unchecked")
      MethodDescriptor<BytesValue, BytesValue> typed = method;
      builder.addMethod(typed, Call::new);
    }
    var server =
        io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder.forAddress(
                new InetSocketAddress("127.0.0.1", port), credentials)
            .addService(builder.build())
            .build()
            .start();
    System.out.println("{\"ready\":" + server.getPort() + "}");
    // Whoever started this process holds its input open.
    while (System.in.read() >= 0) {}
    server.shutdownNow();
    System.exit(0);
  }

  private static final class Call extends ServerCall.Listener<BytesValue> {
    private final ServerCall<BytesValue, BytesValue> call;
    private final Metadata metadata;
    private final String method;
    private final String id;
    private final int fail;
    private final Metadata trailers = new Metadata();
    private BytesValue last = BytesValue.getDefaultInstance();
    private long total;
    private long left = -1;
    private boolean begun;
    private boolean waits;
    private boolean closed;

    Call(ServerCall<BytesValue, BytesValue> call, Metadata metadata) {
      this.call = call;
      this.metadata = metadata;
      method = call.getMethodDescriptor().getBareMethodName();
      id = text("x-id", "");
      fail = number("x-fail", 0);
      STATES.put(id, "started");
      byte[] binary = metadata.get(Main.ECHO_BIN);
      if (binary != null) trailers.put(Main.ECHO_BIN, binary);
      int delay = number("x-delay-ms", 0);
      if (delay > 0) LATER.schedule(this::begin, delay, TimeUnit.MILLISECONDS);
      else begin();
    }

    private void begin() {
      if (call.isCancelled()) return;
      if (metadata.containsKey(Main.key("x-early"))) fail();
      else call.request(1);
    }

    @Override
    public void onMessage(BytesValue message) {
      last = message;
      total += message.getValue().size();
      if (!method.equals("Bidi")) {
        if (method.equals("ClientStream")) call.request(1);
        return;
      }
      send(message);
      if (call.isReady()) call.request(1);
      else waits = true;
    }

    @Override
    public void onReady() {
      if (waits) {
        waits = false;
        call.request(1);
      }
      if (left >= 0) pump();
    }

    @Override
    public void onHalfClose() {
      if (method.equals("ServerStream")) {
        left = number("x-count", 1);
        pump();
        return;
      }
      String state = text("x-state", "");
      if (method.equals("ClientStream") && fail == 0) send(Main.message(Long.toString(total).getBytes()));
      else if (!state.isEmpty()) send(Main.message(STATES.getOrDefault(state, "unknown").getBytes()));
      else if (method.equals("Unary") && fail == 0) send(answer());
      fail();
    }

    @Override
    public void onCancel() {
      STATES.put(id, "over");
    }

    @Override
    public void onComplete() {
      STATES.put(id, "over");
    }

    private void pump() {
      BytesValue message = answer();
      for (; left > 0 && call.isReady(); left--) send(message);
      if (left == 0) fail();
    }

    private BytesValue answer() {
      int size = number("x-size", -1);
      return size < 0 ? last : Main.message(new byte[size]);
    }

    private void send(BytesValue message) {
      if (!begun) {
        begun = true;
        Metadata headers = new Metadata();
        String value = text("x-echo", "");
        if (!value.isEmpty()) headers.put(Main.key("x-echo"), value);
        call.sendHeaders(headers);
      }
      call.sendMessage(message);
    }

    /** Ends the call, with the error that was asked for if one was. */
    private void fail() {
      if (closed) return;
      closed = true;
      if (fail == 0) {
        if (!begun) call.sendHeaders(new Metadata());
        call.close(Status.OK, trailers);
        return;
      }
      var failed =
          StatusProto.toStatusException(
              com.google.rpc.Status.newBuilder()
                  .setCode(fail)
                  .setMessage(Main.FAIL_MESSAGE)
                  .addDetails(Any.pack(Main.message(Main.DETAIL.getBytes())))
                  .build());
      trailers.merge(failed.getTrailers());
      call.close(failed.getStatus(), trailers);
    }

    private String text(String name, String otherwise) {
      String value = metadata.get(Main.key(name));
      return value == null ? otherwise : value;
    }

    private int number(String name, int otherwise) {
      String value = metadata.get(Main.key(name));
      return value == null ? otherwise : Integer.parseInt(value);
    }
  }

  private Server() {}
}
