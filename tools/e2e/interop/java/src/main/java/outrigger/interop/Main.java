package outrigger.interop;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoUtils;
import java.util.logging.LogManager;

/** The gRPC interoperability peer in Java: {@code server PORT [CERT KEY]} or {@code client ADDRESS [CA]}. */
public final class Main {
  static final String SERVICE = "outrigger.interop.v1.Echo";
  static final String FAIL_MESSAGE = "boom ü 100%";
  static final String DETAIL = "detail";
  static final MethodDescriptor<BytesValue, BytesValue> UNARY = method("Unary", MethodType.UNARY);
  static final MethodDescriptor<BytesValue, BytesValue> SERVER_STREAM =
      method("ServerStream", MethodType.SERVER_STREAMING);
  static final MethodDescriptor<BytesValue, BytesValue> CLIENT_STREAM =
      method("ClientStream", MethodType.CLIENT_STREAMING);
  static final MethodDescriptor<BytesValue, BytesValue> BIDI = method("Bidi", MethodType.BIDI_STREAMING);
  static final MethodDescriptor<BytesValue, BytesValue> NOTHING = method("Nothing", MethodType.UNARY);
  static final Metadata.Key<byte[]> ECHO_BIN = Metadata.Key.of("x-echo-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private Main() {}

  public static void main(String[] args) throws Exception {
    // The library tells of every cancelled stream, at length.
    LogManager.getLogManager().reset();
    String second = args.length > 2 ? args[2] : "";
    switch (args[0]) {
      case "server" -> Server.serve(Integer.parseInt(args[1]), second, args.length > 3 ? args[3] : "");
      case "client" -> Client.callAll(args[1], second);
      default -> throw new IllegalArgumentException("server or client, not " + args[0]);
    }
  }

  static BytesValue message(byte[] value) {
    return BytesValue.of(ByteString.copyFrom(value));
  }

  static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  private static MethodDescriptor<BytesValue, BytesValue> method(String name, MethodType type) {
    var marshaller = ProtoUtils.marshaller(BytesValue.getDefaultInstance());
    return MethodDescriptor.newBuilder(marshaller, marshaller)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
        .setType(type)
        .build();
  }
}
