// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// An agent in grpc-go: it serves the CNI service under the names that it is
// given, as raw bytes, so that one source builds with any release of grpc-go.
//
// agent SOCKET PACKAGE[,PACKAGE…] JOURNAL [SOCKET PACKAGE[,PACKAGE…]]…
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
)

// raw leaves messages as they are on the wire. It takes the place of the
// codec for protobuf, which is the default.
type raw struct{}

func (raw) Marshal(v interface{}) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v interface{}) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) Name() string { return "proto" }

func main() {
	if len(os.Args) < 4 || len(os.Args)%2 != 0 {
		fmt.Fprintln(os.Stderr, "usage: agent SOCKET PACKAGE[,PACKAGE…] JOURNAL [SOCKET PACKAGE[,PACKAGE…]]…")
		os.Exit(2)
	}
	encoding.RegisterCodec(raw{})
	journal, err := os.OpenFile(os.Args[3], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(err)
	log := func(ctx context.Context, path string) {
		line, _ := json.Marshal(map[string]string{"path": path})
		journal.Write(append(line, '\n'))
	}
	more := os.Args[4:]
	for i := 0; i < len(more); i += 2 {
		serve := listen(more[i], more[i+1], log)
		go func() { check(serve()) }()
	}
	serve := listen(os.Args[1], os.Args[2], log)
	fmt.Println(grpc.Version)
	check(serve())
}

func listen(socket, packages string, log func(context.Context, string)) func() error {
	server := grpc.NewServer()
	for _, name := range strings.Split(packages, ",") {
		if name == "" {
			continue
		}
		server.RegisterService(service(name+".Cni", log), struct{}{})
	}
	listener, err := listener(socket)
	check(err)
	return func() error { return server.Serve(listener) }
}

func service(name string, log func(context.Context, string)) *grpc.ServiceDesc {
	desc := &grpc.ServiceDesc{ServiceName: name, HandlerType: (*interface{})(nil)}
	methods := []string{"CmdAdd", "CmdCheck", "CmdDel"}
	if strings.HasSuffix(name, ".v1.Cni") {
		methods = append(methods, "CmdGC", "CmdStatus")
	}
	for _, method := range methods {
		method := method
		desc.Methods = append(desc.Methods, grpc.MethodDesc{
			MethodName: method,
			Handler: func(_ interface{}, ctx context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
				var request []byte
				if err := decode(&request); err != nil {
					return nil, err
				}
				log(ctx, "/"+name+"/"+method)
				var reply []byte
				if method == "CmdAdd" {
					reply = field(1, result(value(value(request, 1), 6)))
				}
				return &reply, nil
			},
		})
	}
	return desc
}

// result of an ADD in the version of its configuration.
func result(configuration []byte) []byte {
	var conf struct {
		CNIVersion string `json:"cniVersion"`
	}
	check(json.Unmarshal(configuration, &conf))
	ip := map[string]interface{}{"address": "10.10.0.2/24", "gateway": "10.10.0.1"}
	out := map[string]interface{}{"cniVersion": conf.CNIVersion, "ips": []interface{}{ip}}
	switch {
	case conf.CNIVersion == "0.1.0" || conf.CNIVersion == "0.2.0":
		delete(out, "ips")
		out["ip4"] = map[string]interface{}{"ip": "10.10.0.2/24", "gateway": "10.10.0.1"}
	case strings.HasPrefix(conf.CNIVersion, "0."):
		ip["version"] = "4"
	}
	data, err := json.Marshal(out)
	check(err)
	return data
}

// value of the last field with a number that holds bytes.
func value(message []byte, number uint64) (found []byte) {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		length, m := binary.Uvarint(message[n:])
		start := n + m
		if tag == number<<3|2 {
			found = message[start : start+int(length)]
		}
		message = message[start+int(length):]
	}
	return found
}

func field(number uint64, data []byte) []byte {
	out := binary.AppendUvarint(nil, number<<3|2)
	out = binary.AppendUvarint(out, uint64(len(data)))
	return append(out, data...)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
