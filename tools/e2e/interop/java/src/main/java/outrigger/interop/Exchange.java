package outrigger.interop;

import com.google.protobuf.BytesValue;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.LinkedBlockingQueue;

/** A call that sends and reads one message after the other. */
final class Exchange extends ClientCall.Listener<BytesValue> {
  private static final Object END = new Object();
  private final ClientCall<BytesValue, BytesValue> call;
  private final LinkedBlockingQueue<Object> received = new LinkedBlockingQueue<>();
  private final boolean streams;
  private boolean closed;
  Metadata headers = new Metadata();
  Metadata trailers;
  Status status;

  Exchange(
      Channel channel, MethodDescriptor<BytesValue, BytesValue> method, CallOptions options, String... metadata) {
    this(channel, method, options, metadata(metadata));
  }

  static Metadata metadata(String... pairs) {
    Metadata metadata = new Metadata();
    for (int index = 0; index < pairs.length; index += 2) metadata.put(Main.key(pairs[index]), pairs[index + 1]);
    return metadata;
  }

  Exchange(Channel channel, MethodDescriptor<BytesValue, BytesValue> method, CallOptions options, Metadata metadata) {
    streams = !method.getType().clientSendsOneMessage();
    call = channel.newCall(method, options);
    call.start(this, metadata);
    call.request(1);
  }

  /** Waits for room; false when the call is over. */
  boolean send(byte[] value) throws InterruptedException {
    synchronized (this) {
      // A call that sends one message never becomes ready.
      while (streams && !call.isReady() && !closed) wait();
      if (closed) return false;
    }
    call.sendMessage(Main.message(value));
    return true;
  }

  void halfClose() {
    call.halfClose();
  }

  void cancel() {
    call.cancel("enough", null);
  }

  /** The next message, or null at the end: then there is a status. */
  byte[] receive() throws InterruptedException {
    Object next = received.take();
    if (next == END) {
      received.add(END);
      return null;
    }
    call.request(1);
    return ((BytesValue) next).getValue().toByteArray();
  }

  /** Reads and drops what still comes. */
  Status end() throws InterruptedException {
    while (receive() != null) {}
    return status;
  }

  @Override
  public void onHeaders(Metadata metadata) {
    headers = metadata;
  }

  @Override
  public void onMessage(BytesValue message) {
    received.add(message);
  }

  @Override
  public synchronized void onReady() {
    notifyAll();
  }

  @Override
  public synchronized void onClose(Status end, Metadata metadata) {
    status = end;
    trailers = metadata;
    closed = true;
    received.add(END);
    notifyAll();
  }
}
