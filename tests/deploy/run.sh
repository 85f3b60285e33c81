#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# What deploy/ renders to and builds: manifests read as an API server would, the image
# in an empty root, and the init container as the manifest says, on a folder that
# stands for the node's. `make test-deploy`; needs root, Go and Debian.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$PWD/target/deploy
deploy=$PWD/deploy
mkdir -p "$out/plain"
passed=0
ok() { passed=$((passed + 1)); echo "ok: $*"; }
die() { echo "FAILED: $*" >&2; exit 1; }

(cd tests/deploy && CGO_ENABLED=0 go build -o "$out/" helm.sh/helm/v3/cmd/helm sigs.k8s.io/kustomize/kustomize/v5 \
  github.com/rhysd/actionlint/cmd/actionlint github.com/norwoodj/helm-docs/cmd/helm-docs ./registry ./validate)

"$out/actionlint"
ok "actionlint: $(ls .github/workflows/*.yml | wc -l) workflows"

# Manifests: the project's own fixtures, and real ones of Antrea from the folder MANIFESTS,
# if that is set.
kustomization() { # MODE FOLDER MANIFEST
  mkdir -p "$2" && cp "$3" "$2/manifest.yaml" && cp -r "$deploy"/kustomize/* "$2/"
  printf '%s\n' 'resources: [manifest.yaml]' "components: [$1]" \
    'images: [{name: antrea-cni, newName: example.org/antrea-cni, newTag: 0.1.0}]' >"$2/kustomization.yaml"
}
build() { # MODE MANIFEST, as after.yaml
  rm -rf "$out/plain" "$out/patched"
  mkdir -p "$out/plain" && cp "$2" "$out/plain/manifest.yaml"
  echo 'resources: [manifest.yaml]' >"$out/plain/kustomization.yaml"
  kustomization "$1" "$out/patched" "$2"
  "$out/kustomize" build "$out/plain" >"$out/before.yaml"
  "$out/kustomize" build "$out/patched" >"$out/after.yaml"
  "$out/validate" "$1" "$out/before.yaml" "$out/after.yaml"
}
: >"$out/containers"
for mode in network-policy-only-null network-policy-only network-policy-only-init encap-without-keeper encap; do
  build "${mode%-null}" "tests/deploy/fixture/${mode%-without-keeper}.yaml" >"$out/containers"
done
test "$(wc -l <"$out/containers")" = 2
ok "kustomize: each mode, with initContainers absent and null; containers last; Windows untouched; least privilege"
post_render() { PATH=$out:$PATH "$deploy/kustomize/post-render.sh" "$@" <tests/deploy/fixture/encap.yaml; }
post_render encap example.org/antrea-cni:0.1.0 logLevel=error >"$out/rendered.yaml"
"$out/validate" encap "$out/before.yaml" "$out/rendered.yaml" >/dev/null
grep -q 'logLevel: error' "$out/rendered.yaml"
test "$(grep -c 'name: antrea-cni-settings-' "$out/rendered.yaml")" = 3
ok "post-renderer of Antrea's chart: the same, and settings in a ConfigMap whose name both containers have"
digest=sha256:$(printf 'a%.0s' {1..64})
for image in antrea-cni example.org/antrea-cni localhost:5000/antrea-cni localhost:5000/a/antrea-cni:0.1.0 \
  example.org/antrea-cni@$digest localhost:5000/antrea-cni:0.1.0@$digest; do
  post_render encap "$image" >"$out/rendered.yaml"
  images=$(grep -o 'image: .*antrea-cni.*' "$out/rendered.yaml" | sort | uniq -c | xargs)
  test "$images" = "2 image: $image" || die "the post-renderer makes $image $images"
done
value=$(printf '%s' /var/log/antrea/ "\"a\" 'b', \$c \\d & <e>: #é" "'")
post_render encap example.org/antrea-cni "logFile=$value" "socket='/x'" >"$out/rendered.yaml"
"$out/validate" settings "$out/rendered.yaml" | python3 -c '
import json, sys
settings = json.load(sys.stdin)
assert settings == {"logFile": sys.argv[1], "socket": "\x27/x\x27"}, settings' "$value"
for wrong in '' encap 'other example.org/antrea-cni' 'encap example.org/antrea-cni logLevel' 'encap example.org/antrea-cni =x' \
  'encap example.org/antrea-cni:' "encap 'example.org/antrea-cni'"; do
  status=0
  read -ra words <<<"$wrong"
  post_render "${words[@]}" >"$out/rendered.yaml" 2>"$out/said" || status=$?
  test $status = 2 && grep -q 'usage: .*post-render.sh encap|network-policy-only IMAGE \[KEY=VALUE\]' "$out/said" &&
    test ! -s "$out/rendered.yaml" || die "post-render.sh $wrong: exit status $status, $(cat "$out/said")"
done
ok "post-renderer: images with and without tag, port and digest; values as they are; wrong arguments"
if [ -n "${MANIFESTS:-}" ]; then
  built=0
  for manifest in "$MANIFESTS"/*.yml; do
    mode=$("$out/validate" mode "$manifest")
    build "$mode" "$manifest" >/dev/null
    echo "  $(basename "$manifest"): $mode"
    case $manifest in *-windows-*) ;; *)
      "$out/validate" conflist "$manifest" | python3 -c 'import json, sys; assert json.load(sys.stdin)["plugins"][0]["type"] == "antrea"' ||
        die "the guide finds no list in $(basename "$manifest")" ;;
    esac
    built=$((built + 1))
  done
  ok "kustomize: $built real manifests, and the guide finds the list of each"
else
  echo '*** skipped: real manifests of Antrea; name a folder of them in MANIFESTS ***'
fi

# The chart
"$out/helm" lint --quiet "$deploy/helm"
chart() { "$out/helm" template antrea-cni "$deploy/helm" --namespace kube-system --kube-version 1.34.0 "$@"; }
chart >"$out/install.yaml"
chart --set action=rollback >"$out/rollback.yaml"
chart --set action=uninstall >"$out/uninstall.yaml"
chart --set image.digest=sha256:$(printf 'a%.0s' {1..64}) --set imagePullSecrets[0].name=key \
  --set settings.logFile=/var/log/antrea/antrea-cni.log --set settings.waitForAgentSeconds=5 \
  --set settings.requireRootAgent=false --set settings.socket=null \
  --set metricsDir=/var/lib/node_exporter >"$out/settings.yaml"
chart --set endpoint.address=node,podMonitor.enabled=true,prometheusRule.enabled=true,dashboard.enabled=true \
  --set-string podMonitor.labels.release=prometheus,prometheusRule.labels.release=prometheus >"$out/monitored.yaml"
test "$(grep -c '^    release: prometheus$' "$out/monitored.yaml")" = 2 || die 'no labels for Prometheus to select by'
chart --set 'endpoint.address=[node]' >"$out/ipv6.yaml"
chart --set endpoint.enabled=false,uninstallHook.enabled=false,serviceAccount.create=false >"$out/least.yaml"
for preset in "$deploy"/helm/values-*.yaml; do
  chart --values "$preset" >"$out/preset-$(basename "$preset")"
done
"$out/validate" chart "$out"/{install,rollback,uninstall,settings,monitored,ipv6,least}.yaml "$out"/preset-*.yaml >>"$out/containers"
grep -qF 'antrea-cni@sha256:aaaa' "$out/settings.yaml" || die 'the chart has no digest'
arguments() { # FILE..., of the container, as the kubelet passes them on: it takes $$ for $
  "$out/validate" chart "$@" | python3 -c '
import json, sys
for line in sys.stdin: print(*json.loads(line)["args"], sep="\n")' | sed 's/\$\$/$/g'
}
for line in --set=logFile=/var/log/antrea/antrea-cni.log --set=waitForAgentSeconds=5 \
  --set=requireRootAgent=false --set=socket=; do
  arguments "$out/settings.yaml" | grep -qxF -- "$line" || die "the chart has no $line"
done
while IFS= read -r file; do
  python3 -c 'import json, sys; print(json.dumps({"settings": {"logFile": sys.argv[1]}}, ensure_ascii=False))' "$file" >"$out/value.json"
  chart --values "$out/value.json" >"$out/value.yaml" || die "the chart does not take $file"
  arguments "$out/value.yaml" | grep -qxF -- "--set=logFile=$file" ||
    die "$file arrives as $(arguments "$out/value.yaml" | grep logFile)"
done <<'FILES'
/var/log/antrea/a&b.log
/var/log/antrea/a<b>c.log
/var/log/antrea/"a" 'b'"
/var/log/antrea/a\b\u0026.log
/var/log/antrea/$HOME $(KUBERNETES_SERVICE_HOST) $$ {{ .Values }}
/var/log/antrea/a: b #c, é日本🦀
/var/log/antrea/../antrea//x.log
FILES
chart --set settings.logFile=null >"$out/value.yaml"
arguments "$out/value.yaml" | grep -qxF -- --set=logFile= || die 'null does not take the log away'
for address in 127.0.0.1:install '$(NODE_ADDRESS):monitored' '[$(NODE_ADDRESS)]:ipv6'; do
  arguments "$out/${address##*:}.yaml" | grep -qxF -- "--listen=${address%:*}:10354" || die "${address##*:} listens elsewhere"
done
! arguments "$out/least.yaml" | grep -- --listen || die 'it listens without an endpoint'
ok "helm: settings arrive as they are, whatever characters they have"
# What the hook of `helm uninstall` makes of the DaemonSet is what action=uninstall is.
for values in name=antrea name='a$(b)$$c',binDir='/opt/$HOME/bin'; do
  chart --set "$values" >"$out/value.yaml"
  chart --set "$values,action=uninstall" >"$out/other.yaml"
  "$out/validate" uninstalled "$out/value.yaml" >"$out/said"
  "$out/validate" chart "$out/other.yaml" | diff "$out/said" - || die "$values: the hook uninstalls something else"
done
ok "helm: the hook of uninstall changes the DaemonSet as action=uninstall does"
takes() { chart "$@" >/dev/null 2>"$out/said" || die "the chart refuses $*: $(cat "$out/said")"; }
refused=0
refuses() { # WORD VALUES...: the message has the word
  ! chart "${@:2}" >/dev/null 2>"$out/said" || die "the chart takes ${*:2}"
  grep -q -- "$1" "$out/said" || die "the chart does not say $1: $(cat "$out/said")"
  refused=$((refused + 1))
}
for wrong in action=nothing interval=30 binDir=opt/cni/bin confDir=etc bindir=/x settings.logfile=/x \
  settings.logFile=x settings.confDir=x settings.socket=x settings.socket=tcp:///x image.digest=abc \
  conflist.name=x name=a/b resorces.x=1 endpoint.address=0.0.0.0 endpoint.port=0 uninstallHook.timeoutSeconds=5 \
  serviceAccount.automount=true; do
  name=${wrong%%=*}
  refuses "${name//./\\|}" --set "$wrong"
done
# The bounds and words that the plugin's own page has, of each setting that has some.
while IFS='|' read -r _ name values _; do
  name=settings.$(tr -d ' `' <<<"$name")
  case $values in
    ' a whole number from '*)
      read -r least most < <(sed 's/[^0-9]\+/ /g' <<<"$values")
      takes --set "$name=$least"
      takes --set "$name=$most"
      refuses "${name#*.}" --set "$name=$((least - 1))"
      refuses "${name#*.}" --set "$name=$((most + 1))" ;;
    ' "'*)
      for word in $(grep -o '"[a-z]*"' <<<"$values" | tr -d '"'); do takes --set "$name=$word"; done
      refuses "${name#*.}" --set "$name=nothing" ;;
    ' true or false ')
      takes --set "$name=true"
      refuses "${name#*.}" --set-string "$name=true" ;;
  esac
  takes --set "$name=null"
done < <(grep '^| `' docs/settings.md)
takes --set settings.logMaxBytes=65536,settings.logLevel=debug
refuses logMaxBytes --set settings.logMaxBytes=65535
refuses logMaxBytes --set settings.logMaxBytes=1073741825
# 107 bytes, in letters of one and of two.
takes --set "settings.socket=/var/run/antrea/$(printf 'a%.0s' {1..91})"
takes --set "settings.socket=unix:///var/run/antrea/$(printf 'a%.0s' {1..91})"
takes --set "settings.socket=/var/run/antrea/a$(printf 'é%.0s' {1..45})"
refuses 'not.*match' --set "settings.socket=/var/run/antrea/$(printf 'a%.0s' {1..92})"
refuses '108 bytes' --set "settings.socket=/var/run/antrea/$(printf 'é%.0s' {1..46})"
# What the Pod cannot see
for outside in /var/log/pods/x.log /var/log/antrea.log /var/log/antrea /var/log/antrea/../x.log; do
  refuses "settings.logFile is $outside, outside of logDir (/var/log/antrea)" --set "settings.logFile=$outside"
done
for outside in /run/antrea/cni.sock unix:/run/antrea/cni.sock unix:///run/antrea/cni.sock; do
  refuses "settings.socket is $outside, outside of socketDir (/var/run/antrea)" --set "settings.socket=$outside"
done
takes --set settings.logFile=/var/log/pods/x.log,logDir=/var/log/pods/
takes --set settings.socket=unix:///run/antrea/cni.sock,socketDir=/run
# Nothing uses them, and what was wrong before can be removed.
takes --set action=uninstall,settings.logFile=/x.log
# What Prometheus cannot reach
refuses endpoint.address=node --set podMonitor.enabled=true
refuses endpoint.address=node --set podMonitor.enabled=true,endpoint.enabled=false,endpoint.address=node
# Two installations on one node
for name in antrea antrea-next; do
  chart --set name=$name,metricsDir=/var/lib/node_exporter >"$out/$name.yaml"
  arguments "$out/$name.yaml" | grep '^--metrics=' >"$out/$name.metrics"
done
! cmp -s "$out"/antrea{,-next}.metrics || die "two installations write $(cat "$out/antrea.metrics")"
ok "helm: 7 variants and $(ls "$deploy"/helm/values-*.yaml | wc -l) presets; $refused wrong values refused; least privilege"

# `helm upgrade --reuse-values` from an older chart brings that one's defaults, and none of the new ones.
old=0
for commit in $(git log --format=%h -- deploy/helm/values.yaml); do
  git show "$commit:deploy/helm/values.yaml" >"$out/old-values.yaml"
  rm -rf "$out/reused" && cp -r "$deploy/helm" "$out/reused" && cp "$out/old-values.yaml" "$out/reused/values.yaml"
  for action in install rollback uninstall; do
    "$out/helm" template antrea-cni "$out/reused" --namespace kube-system --kube-version 1.34.0 --set action=$action >"$out/value.yaml" 2>"$out/said" ||
      die "with the values of $commit: $(cat "$out/said")"
    "$out/validate" chart "$out/value.yaml" >/dev/null
  done
  old=$((old + 1))
done
# A checkout without history has one.
if [ "$old" -gt 1 ]; then ok "helm: --reuse-values with the defaults of $old older charts"; else echo '*** skipped: older charts need the history of this repository ***'; fi

# README.md of the chart, from the comments in values.yaml
rm -rf "$out/readme" && cp -r "$deploy/helm" "$out/readme"
"$out/helm-docs" --chart-search-root "$out/readme" --log-level error
kubectl=$(chart | sed -n 's/^ *image: "\(.*kubectl.*\)"/\1/p' | sort -u)
grep -qxF "      image: $kubectl" "$deploy/helm/Chart.yaml" || die "Chart.yaml does not name the image $kubectl"
diff "$deploy/helm/README.md" "$out/readme/README.md" >"$out/said" || die "deploy/helm/README.md is old, make chart-readme: $(cat "$out/said")"
ok "helm: README.md says what values.yaml does"

# Alert rules, on sample series
command -v promtool >/dev/null || apt-get install -y --no-install-recommends prometheus >/dev/null
promtool check rules deploy/helm/rules.yaml >/dev/null
# One of two plugins on a node fails; there, the other one does most of the calls.
cat >"$out/rules-test.yaml" <<TEST
rule_files: [$deploy/helm/rules.yaml]
tests:
  - interval: 1m
    input_series:
      - {series: 'antrea_cni_failed_calls_total{instance="n1",plugin="antrea",command="ADD"}', values: 0x30}
      - {series: 'antrea_cni_call_duration_seconds_count{instance="n1",plugin="antrea",command="ADD"}', values: 0+20x30}
      - {series: 'antrea_cni_failed_calls_total{instance="n1",plugin="antrea-next",command="ADD"}', values: 0+2x30}
      - {series: 'antrea_cni_call_duration_seconds_count{instance="n1",plugin="antrea-next",command="ADD"}', values: 0+2x30}
      - {series: 'antrea_cni_conflist_leads_to_plugin{instance="n1",plugin="antrea"}', values: 1x30}
      - {series: 'antrea_cni_conflist_leads_to_plugin{instance="n1",plugin="antrea-next"}', values: 0x30}
      - {series: 'antrea_cni_conflist_leads_to_plugin{instance="n2",plugin="antrea"}', values: 0x30}
      - {series: 'antrea_cni_info{instance="n1",plugin="antrea"}', values: 1x30}
      - {series: 'antrea_cni_metrics_timestamp_seconds{instance="n3",job="antrea-cni",plugin="antrea"}', values: 0+60x10 _x20}
      - {series: 'up{instance="n3",job="antrea-cni"}', values: 1x10 0x30}
      - {series: 'up{instance="n1",job="antrea-cni"}', values: 1x30}
      - {series: 'up{instance="n1",job="node"}', values: 0x30}
    promql_expr_test:
      - expr: count by (alertname, instance, plugin) (ALERTS{alertstate="firing"})
        eval_time: 25m
        exp_samples:
          - {labels: '{alertname="AntreaCNIAddFails",instance="n1",plugin="antrea-next"}', value: 1}
          - {labels: '{alertname="AntreaCNIBypassed",instance="n2"}', value: 1}
          - {labels: '{alertname="AntreaCNIMetricsStale",instance="n3",plugin="antrea"}', value: 1}
  - interval: 1m
    promql_expr_test:
      - expr: count by (alertname) (ALERTS{alertstate="firing"})
        eval_time: 25m
        exp_samples:
          - {labels: '{alertname="AntreaCNIMetricsAbsent"}', value: 1}
TEST
promtool test rules "$out/rules-test.yaml" >"$out/said" 2>&1 || die "$(cat "$out/said")"
sed -n 's/^ *- alert: //p' deploy/helm/rules.yaml >"$out/alerts"
sed -n 's/^| `\(AntreaCNI[A-Za-z]*\)` .*/\1/p' docs/operations.md | diff "$out/alerts" - || die 'the alerts of docs/operations.md'
ok "prometheus: the rules, and two plugins on a node (ctl/tests/ctl/metrics.rs has what fires on real series)"

# A real Prometheus evaluates them, and scrapes a keeper.
work=$(mktemp -d)
mkdir -p "$work"/{bin,net.d,log}
printf '%s\n' 'global: {scrape_interval: 1s, evaluation_interval: 1s}' "rule_files: [$deploy/helm/rules.yaml]" 'scrape_configs:' \
  "  - {job_name: antrea-cni, static_configs: [{targets: ['127.0.0.1:5019']}]}" >"$work/prometheus.yaml"
started=()
trap 'kill "${started[@]}"; rm -rf "$work"' EXIT
prometheus --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/data" --web.listen-address=127.0.0.1:5018 >"$work/said" 2>&1 &
started+=($!)
target/image/amd64/antrea-cnictl install --from target/image/amd64/antrea-cni --bin-dir "$work/bin" --conf-dir "$work/net.d" \
  --set "logFile=$work/log/log" --keep 1s --listen 127.0.0.1:5019 >"$work/keeper" 2>&1 &
keeper=$!
started+=($keeper)
python3 tests/deploy/prometheus.py http://127.0.0.1:5018 1 inactive 60 || die "$(cat "$work"/{said,keeper})"
kill -KILL $keeper
python3 tests/deploy/prometheus.py http://127.0.0.1:5018 0 pending 60 || die "$(cat "$work"/{said,keeper})"
kill "${started[@]}" 2>/dev/null || true
wait "${started[@]}" || true
trap - EXIT
rm -rf "$work"
ok "prometheus: $(prometheus --version 2>&1 | sed -n 's/^prometheus, version \([^ ]*\) .*/\1/p') evaluates each rule"

# Packages: the files of deploy/, with the modes that they have here; dist/check-packages.sh looks at the unit
git ls-files --stage deploy ':!deploy/systemd' | awk '{print $1 == "100755" ? "-rwxr-xr-x" : "-rw-r--r--", $4}' | sort >"$out/modes"
packages=0
for package in target/dist/*.deb target/dist/*.rpm; do
  case $package in
    *.deb) dpkg-deb --contents "$package" ;;
    *.rpm) command -v rpm >/dev/null || apt-get install -y --no-install-recommends rpm >/dev/null; rpm -qplv "$package" ;;
  esac | sed -n '\|deploy/systemd/|d; s|^\(-[rwx-]*\) .*/usr/share/antrea-cnictl/\(deploy/.*\)|\1 \2|p' | sort | diff "$out/modes" - >"$out/said" ||
    die "$package: $(cat "$out/said")"
  packages=$((packages + 1))
done
ok "packages: the files of deploy/ and their modes in $packages packages"

# Image: each architecture, and the index
archive=target/image/antrea-cni.tar
most=5000000
root=$(mktemp -d) node=$(mktemp -d) storage=$(mktemp -d)
trap 'rm -rf "$root" "$node" "$storage"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
index=$(tar -xOf $archive index.json | python3 -c 'import json,sys; print(json.load(sys.stdin)["manifests"][0]["digest"].split(":")[1])')
platforms=$(tar -xOf $archive "blobs/sha256/$index" | python3 -c '
import json, sys
for it in json.load(sys.stdin)["manifests"]:
    print("/".join(filter(None, (it["platform"][key] if key in it["platform"] else "" for key in ("os", "architecture", "variant")))))' | sort | xargs)
test "$platforms" = 'linux/amd64 linux/arm/v7 linux/arm64' || die "the index has $platforms"
for arch in amd64 arm64 arm; do
  whole=$(cat target/image/$arch/{antrea-*,licenses/*,sbom/*} | wc -c)
  test "$whole" -le "$most" || die "$arch: the image is $whole bytes"
  case $arch in amd64) run= ;; arm64) run=qemu-aarch64-static ;; arm) run=qemu-arm-static ;; esac
  if [ -n "$run" ] && ! command -v $run >/dev/null; then
    echo "*** skipped: the programs of $arch need $run ***"
    continue
  fi
  $run target/image/$arch/antrea-cnictl version | grep -q "$version"
  CNI_COMMAND=VERSION $run target/image/$arch/antrea-cni </dev/null | grep -q '"supportedVersions"'
  echo "  linux/$arch: $whole bytes; both programs start"
done
ok "image: an index of $platforms, $(stat -c %s $archive) bytes in the archive; each at most $most"
# What a node of amd64 stores: the layers, unpacked.
layers=$(python3 - $archive <<'PYTHON'
import gzip, json, sys, tarfile
archive = tarfile.open(sys.argv[1])
blob = lambda digest: archive.extractfile('blobs/' + digest.replace(':', '/')).read()
index = json.loads(blob(json.load(archive.extractfile('index.json'))['manifests'][0]['digest']))
[manifest] = [json.loads(blob(it['digest'])) for it in index['manifests'] if it['platform']['architecture'] == 'amd64']
layers = [blob(it['digest']) for it in manifest['layers']]
plain = [gzip.decompress(it) if it[:2] == b'\x1f\x8b' else it for it in layers]
print(sum(map(len, plain)), sum(map(len, layers)))
PYTHON
)
test "${layers% *}" -le $most || die "the layers of linux/amd64 have ${layers% *} bytes"
ok "image: the layers of linux/amd64 have ${layers% *} bytes, at most $most; ${layers#* } to pull"
cp target/image/amd64/antrea-cni target/image/amd64/antrea-cnictl "$root/"
chroot "$root" /antrea-cnictl --version | grep -q "$version"
CNI_COMMAND=VERSION chroot "$root" /antrea-cni </dev/null | grep -q '"supportedVersions"'
ok "both programs start in an empty root"

# Pushed to a registry, and pulled again for each platform
"$out/registry" 127.0.0.1:5017 & registry=$!
trap 'kill $registry; rm -rf "$root" "$node" "$storage"' EXIT
until (: </dev/tcp/127.0.0.1/5017) 2>/dev/null; do kill -0 $registry; sleep 0.05; done
make --silent chart >/dev/null
PLAIN_HTTP=1 make --silent publish REGISTRY=127.0.0.1:5017/antrea >"$out/published" 2>&1 || die "$(cat "$out/published")"
"$out/helm" template chart oci://127.0.0.1:5017/antrea/charts/antrea-cni --plain-http --version "$version" --kube-version 1.34.0 >/dev/null

# What is signed is what was pushed.
cp target/published "$out/references"
test "$(wc -l <"$out/references")" = 2 && grep -q '^127.0.0.1:5017/antrea/antrea-cni@sha256:[0-9a-f]\{64\}$' "$out/references"
"$out/helm" show chart "oci://$(tail -n 1 "$out/references")" --plain-http >/dev/null 2>"$out/said" || die "$(cat "$out/said")"

# The init container, with the arguments and mounts of the rendered manifest
command -v podman >/dev/null || apt-get install -y --no-install-recommends podman >/dev/null
run() { podman --root "$storage/root" --runroot "$storage/run" --storage-driver vfs --cgroup-manager cgroupfs --runtime runc "$@"; }
for platform in linux/amd64 linux/arm64 linux/arm/v7; do
  run pull --quiet --tls-verify=false --platform $platform 127.0.0.1:5017/antrea/antrea-cni:$version >/dev/null
  it=$(run image inspect --format '{{.Os}}/{{.Architecture}} {{index .Labels "org.opencontainers.image.version"}}' 127.0.0.1:5017/antrea/antrea-cni:$version)
  test "$it" = "${platform%/v7} $version" || die "podman pulled $it for $platform"
  run pull --quiet --tls-verify=false --platform $platform "$(head -n 1 "$out/references")" >/dev/null
  root_of=$(run image mount 127.0.0.1:5017/antrea/antrea-cni:$version)
  cmp "$root_of/antrea-cni" target/image/$(basename ${platform%/v7})/antrea-cni
  python3 -c 'import json,sys; [json.load(open(it))["components"] for it in sys.argv[1:]]' "$root_of"/sbom/*.json
done
ok "publish: image and chart pushed, pulled by podman for each platform; labels and SBOMs"
run load --quiet --input $archive >/dev/null
mkdir -p "$node/opt/cni/bin" "$node/etc/cni/net.d" "$node/var/run/antrea" "$node/var/log/antrea" "$node/image"
staged=$node/emptydir/antrea-cni-staged
mkdir -p "$staged-bin" "$staged-conf"
printf '#!/bin/sh\n' >"$node/opt/cni/bin/antrea"
chmod 755 "$node/opt/cni/bin/antrea"
container() {
  local -a words
  mapfile -t words < <(sed -n "$1p" "$out/containers" | python3 -c '
import json, sys
container = json.load(sys.stdin)
for mount in container["mounts"]:
    print("--volume", sys.argv[1] + mount["Host"] + ":" + mount["Path"] + (":ro" if mount["ReadOnly"] else ""), sep="\n")
print(sys.argv[2], *container["args"], sep="\n")' "$node" "localhost/antrea-cni:$version")
  run run --rm --read-only --cap-drop=ALL --cap-add=DAC_OVERRIDE --security-opt=no-new-privileges --network=none --ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024 "${words[@]}"
}
# The container that runs before it, as Antrea's installer
for program in loopback portmap bandwidth; do echo "#!/bin/sh $program" >"$node/image/$program"; done
{ cat target/image/amd64/antrea-cni; echo; } >"$node/image/antrea"
echo '{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea"}]}' >"$node/image/antrea-cni.conflist"
touch "$node/etc/cni/net.d/10-antrea.conf"
sh ctl/tests/ctl/install_cni.sh "$node/image" "$staged-bin" "$staged-conf"
container 1
test "$(ls "$node/etc/cni/net.d")" = 10-antrea.conflist
cmp "$node/image/antrea-cni.conflist" "$node/etc/cni/net.d/10-antrea.conflist"
cmp "$node/image/portmap" "$node/opt/cni/bin/portmap"
CNI_COMMAND=VERSION "$node/opt/cni/bin/antrea" </dev/null | grep -q '"supportedVersions"'
cmp "$node/opt/cni/bin/antrea" target/image/amd64/antrea-cni
container 1 | grep -q 'is installed already'
ok "the init container moves what Antrea's installer staged, with ours in the place of its plugin, and again without a change"
container 5 & stay=$!
until cmp -s "$node/image/antrea" "$node/opt/cni/bin/antrea"; do kill -0 $stay; done
run stop --all --time 5 >/dev/null
wait $stay
ok "the chart's uninstall puts back what was there, and ends with SIGTERM"

echo "$passed passed, 0 failed"
