// An application with the Go SDK: `call GRPC_PORT SOCKET` calls every method of the client and reports which did what
// they should, `serve PROTOCOL PORT TOKEN` has a handler of every kind and reports what came to them. All reports are
// lines of JSON; the SDK writes others beside them.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
)

func main() {
	log.SetOutput(io.Discard)
	args := append(os.Args[1:], "", "", "")
	var err error
	switch args[0] {
	case "call":
		err = callAll(args[1], args[2])
	case "serve":
		err = serve(args[1], args[2], args[3])
	default:
		err = fmt.Errorf("what is %q? call or serve", args[0])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var reporting sync.Mutex

func report(line any) {
	reporting.Lock()
	defer reporting.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(line)
}
