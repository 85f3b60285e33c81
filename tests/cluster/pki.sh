#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# pki.sh PORT: certificates and kubeconfigs of a cluster, as $CLUSTER/running/pki, and
# $CLUSTER/running/admin.conf, which reaches the API server by PORT of this machine.
set -euo pipefail
. "$(dirname "$0")/env.sh"
port=$1
mkdir -p "$RUNNING/pki"
cd "$RUNNING/pki"
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)

authority() { # NAME SUBJECT
  openssl req -x509 "${key[@]}" -keyout "$1.key" -out "$1.crt" -days 30 -subj "/CN=$2" 2>/dev/null
}
certificate() { # NAME AUTHORITY SUBJECT [ALTERNATIVE NAMES]
  openssl req "${key[@]}" -keyout "$1.key" -out "$1.csr" -subj "$3" 2>/dev/null
  printf '%s\n' basicConstraints=CA:FALSE keyUsage=digitalSignature extendedKeyUsage=serverAuth,clientAuth \
    ${4:+"subjectAltName=$4"} >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -out "$1.crt" -days 30 -extfile "$1.ext" 2>/dev/null
  rm "$1.csr" "$1.ext"
}
kubeconfig() { # USER SERVER
  cat <<CONFIG
apiVersion: v1
kind: Config
clusters:
  - name: cluster
    cluster: {server: "$2", certificate-authority-data: $(base64 -w0 ca.crt)}
users:
  - name: $1
    user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}
contexts:
  - name: cluster
    context: {cluster: cluster, user: $1}
current-context: cluster
CONFIG
}

authority ca kubernetes
authority front-proxy front-proxy
certificate apiserver ca /CN=kube-apiserver IP:127.0.0.1,IP:10.99.0.1,IP:10.96.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
certificate front-proxy-client front-proxy /CN=front-proxy-client
certificate admin ca /O=system:masters/CN=admin
certificate controller-manager ca /CN=system:kube-controller-manager
certificate scheduler ca /CN=system:kube-scheduler
certificate proxy ca /CN=system:kube-proxy
for node in $(nodes); do certificate "$node" ca "/O=system:nodes/CN=system:node:$node"; done
openssl ecparam -genkey -name prime256v1 -noout -out service-accounts.key
openssl ec -in service-accounts.key -pubout -out service-accounts.pub 2>/dev/null
for user in controller-manager scheduler proxy $(nodes); do
  kubeconfig "$user" https://10.99.0.1:6443 >"$user.conf"
done
# Who waits for it finds the whole file.
kubeconfig admin "https://127.0.0.1:$port" >admin.conf
mv admin.conf ../
