// The gRPC interoperability peer in Go: `server PORT [CERT KEY]`, `client ADDRESS [CA]` or `inspect ADDRESS SERVICE`.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"google.golang.org/grpc"
)

const (
	service     = "outrigger.interop.v1.Echo"
	failMessage = "boom ü 100%"
	detail      = "detail"
	mebibyte    = 1024 * 1024
)

// The methods with more than one message on a side, for both ends.
var (
	serverStream = grpc.StreamDesc{StreamName: "ServerStream", ServerStreams: true}
	clientStream = grpc.StreamDesc{StreamName: "ClientStream", ClientStreams: true}
	bidi         = grpc.StreamDesc{StreamName: "Bidi", ServerStreams: true, ClientStreams: true}
)

func main() {
	var err error
	args := append(os.Args[1:], "", "", "", "")
	switch args[0] {
	case "server":
		err = serve(args[1], args[2], args[3])
	case "client":
		err = callAll(args[1], args[2])
	case "inspect":
		err = inspect(args[1], args[2])
	default:
		err = fmt.Errorf("what is %q? server, client or inspect", args[0])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func report(line any) {
	_ = json.NewEncoder(os.Stdout).Encode(line)
}
