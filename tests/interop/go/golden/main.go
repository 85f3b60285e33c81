// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// Writes what libcni makes of CNI results in other versions, one case a line:
// the golden vectors for the plugin's own conversion.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/containernetworking/cni/pkg/types/create"
)

// The parts of results; %s is the member "version" of an address, in the shape
// that has it.
var results = []struct{ name, json string }{
	{"ipv4", `"interfaces":[{"name":"pod-1","mac":"02:00:00:00:00:01"},{"name":"eth0","mac":"02:00:00:00:00:02","sandbox":"/run/netns/x"}],"ips":[{%[1]s"interface":1,"address":"10.10.0.2/24","gateway":"10.10.0.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.10.0.1"}]`},
	{"ipv6", `"interfaces":[{"name":"eth0","sandbox":"/run/netns/x"}],"ips":[{%[2]s"interface":0,"address":"fd00:10::2/64","gateway":"fd00:10::1"}],"routes":[{"dst":"::/0"}]`},
	{"dual-stack", `"interfaces":[{"name":"eth0","mac":"02:00:00:00:00:02","sandbox":"/run/netns/x"}],"ips":[{%[1]s"interface":0,"address":"10.10.0.2/24","gateway":"10.10.0.1"},{%[2]s"interface":0,"address":"fd00::2/64"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.10.0.1"},{"dst":"::/0","gw":"fd00::1"}]`},
	{"dns", `"ips":[{%[1]s"address":"10.10.0.2/24"}],"dns":{"nameservers":["10.96.0.10"],"domain":"cluster.local","search":["default.svc.cluster.local"],"options":["ndots:5"]}`},
	{"mtu", `"interfaces":[{"name":"eth0","mac":"02:00:00:00:00:02","mtu":1450,"sandbox":"/run/netns/x","pciID":"0000:00:1f.6","socketPath":"/run/vhost.sock"}],"ips":[{%[1]s"interface":0,"address":"10.10.0.2/24"}]`},
	{"no-interfaces", `"ips":[{%[1]s"address":"10.9.0.2/24","gateway":"10.9.0.1"}],"routes":[{"dst":"0.0.0.0/0"}]`},
	{"no-addresses", `"interfaces":[{"name":"eth0","sandbox":"/run/netns/x"}]`},
	{"routes-without-gateway", `"ips":[{%[1]s"address":"10.10.0.2/24"}],"routes":[{"dst":"10.0.0.0/8"},{"dst":"192.168.0.0/16","gw":"10.10.0.9"}]`},
	{"recorded-v2.7.0", `"interfaces":[{"mac":"aa:0f:11:ae:c1:3d","name":"pod7-69f788"},{"mac":"32:23:ce:7d:f6:d0","name":"eth0","sandbox":"/run/netns/v7"}],"ips":[{%[1]s"address":"10.10.0.7/24","gateway":"10.10.0.1","interface":1}],"routes":[{"dst":"0.0.0.0/0","gw":"10.10.0.1"}]`},
	{"recorded-v1.0.3", `"interfaces":[{"name":"hch4"},{"name":"eth0","mac":"02:00:00:00:00:0a","sandbox":"/run/netns/ch4"}],"ips":[{%[1]s"interface":1,"address":"10.9.0.6/24","gateway":"10.9.0.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.9.0.1"}],"dns":{}`},
}

var pairs = [][2]string{
	{"1.1.0", "1.0.0"}, {"1.1.0", "0.4.0"}, {"1.0.0", "0.4.0"},
	{"1.0.0", "1.1.0"}, {"0.4.0", "1.1.0"}, {"0.4.0", "1.0.0"},
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, pair := range pairs {
		for _, result := range results {
			if result.name == "mtu" && pair[0] == "0.4.0" {
				continue // that version has none
			}
			v4, v6 := "", ""
			if pair[0] == "0.4.0" {
				v4, v6 = `"version":"4",`, `"version":"6",`
			}
			input := fmt.Sprintf(`{"cniVersion":%q,%s}`, pair[0], fmt.Sprintf(result.json+"%[3]s", v4, v6, ""))
			parsed, err := create.Create(pair[0], []byte(input))
			check(err)
			converted, err := parsed.GetAsVersion(pair[1])
			check(err)
			check(out.Encode(map[string]any{
				"case": result.name, "from": pair[0], "to": pair[1],
				"input": json.RawMessage(input), "output": converted,
			}))
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
