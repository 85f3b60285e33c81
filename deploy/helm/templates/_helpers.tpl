{{- define "antrea-cni.selector" -}}
app.kubernetes.io/name: antrea-cni
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "antrea-cni.labels" -}}
{{ include "antrea-cni.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: cni
app.kubernetes.io/part-of: antrea
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* The reference of an image, of a dict of repository, tag and digest. */}}
{{- define "antrea-cni.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end }}
{{- end }}

{{- define "antrea-cni.ourImage" -}}
{{ include "antrea-cni.image" (merge (dict "tag" (.Values.image.tag | default .Chart.AppVersion)) .Values.image) }}
{{- end }}

{{- define "antrea-cni.serviceAccount" -}}
{{- $account := .Values.serviceAccount | default dict -}}
{{- if $account.create -}}
{{ $account.name | default .Release.Name }}
{{- else -}}
{{ $account.name | default "default" }}
{{- end }}
{{- end }}

{{- /* Folders of the node. `helm upgrade --reuse-values` from an older chart has no value for some. */}}
{{- define "antrea-cni.confDir" -}}{{ .Values.confDir | default "/etc/cni/net.d" }}{{- end }}
{{- define "antrea-cni.socketDir" -}}{{ .Values.socketDir | default "/var/run/antrea" }}{{- end }}
{{- define "antrea-cni.logDir" -}}{{ .Values.logDir | default "/var/log/antrea" }}{{- end }}

{{- /* Which plugin of the node a command is about. */}}
{{- define "antrea-cni.place" -}}
- {{ printf "--bin-dir=%s" .Values.binDir | include "antrea-cni.argument" }}
- {{ printf "--name=%s" .Values.name | include "antrea-cni.argument" }}
- {{ printf "--conf-dir=%s" (include "antrea-cni.confDir" .) | include "antrea-cni.argument" }}
{{- end }}

{{- define "antrea-cni.securityContext" -}}
runAsUser: 0
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
  # The folder belongs to another user on some nodes, such as Kubespray's.
  add: [DAC_OVERRIDE]
seccompProfile:
  type: RuntimeDefault
{{- with .Values.seLinuxOptions }}
seLinuxOptions:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* The node's folders, at the paths of the node, so that links lead where they lead there. */}}
{{- define "antrea-cni.mounts" -}}
- name: bin
  mountPath: {{ .root.Values.binDirMount | default .root.Values.binDir | quote }}
  {{- if .binReadOnly }}
  readOnly: true
  {{- end }}
- name: conf
  mountPath: {{ include "antrea-cni.confDir" .root | quote }}
  readOnly: true
- name: socket
  mountPath: {{ include "antrea-cni.socketDir" .root | quote }}
  readOnly: true
- name: log
  mountPath: {{ include "antrea-cni.logDir" .root | quote }}
  readOnly: true
{{- end }}

{{- define "antrea-cni.volumes" -}}
- name: bin
  hostPath:
    path: {{ .Values.binDirMount | default .Values.binDir | quote }}
    type: DirectoryOrCreate
- name: conf
  hostPath:
    path: {{ include "antrea-cni.confDir" . | quote }}
    type: DirectoryOrCreate
- name: socket
  hostPath:
    path: {{ include "antrea-cni.socketDir" . | quote }}
    type: DirectoryOrCreate
- name: log
  hostPath:
    path: {{ include "antrea-cni.logDir" . | quote }}
    type: DirectoryOrCreate
{{- end }}

{{- /* The words that have a node put back what was there before the first install. */}}
{{- define "antrea-cni.uninstall" -}}
- uninstall
{{ include "antrea-cni.place" . }}
- --stay
{{- end }}

{{- /* An argument in YAML. Kubernetes expands $(NAME) in it, and takes $$ for $. */}}
{{- define "antrea-cni.argument" -}}
{{ . | replace "$" "$$" | quote }}
{{- end }}

{{- /* A setting as `--set` takes it: a text as it is, as toJson writes & < > as \u0026 and so on. */}}
{{- define "antrea-cni.setting" -}}
{{- if kindIs "invalid" .value -}}
{{ .key }}=
{{- else if kindIs "string" .value -}}
{{ .key }}={{ .value }}
{{- else -}}
{{ .key }}={{ toJson .value }}
{{- end }}
{{- end }}

{{- /* What values.schema.json cannot say of settings: a schema does not compare two values, and
counts letters, not bytes. */}}
{{- define "antrea-cni.checkSettings" -}}
{{- $settings := .Values.settings | default dict }}
{{- $logDir := include "antrea-cni.logDir" . }}
{{- $socketDir := include "antrea-cni.socketDir" . }}
{{- with $settings.logFile }}
{{- if not (include "antrea-cni.isWithin" (list . $logDir)) }}
{{- fail (printf "settings.logFile is %s, outside of logDir (%s). The Pod sees only that folder of the node's logs: set logDir to the folder of the log file." . $logDir) }}
{{- end }}
{{- end }}
{{- with $settings.socket }}
{{- $path := trimPrefix "unix:" . }}
{{- if hasPrefix "unix://" . }}
{{- $path = trimPrefix "unix://" . }}
{{- end }}
{{- if gt (len $path) 107 }}
{{- fail (printf "settings.socket has %d bytes. The kernel takes at most 107." (len $path)) }}
{{- end }}
{{- if not (include "antrea-cni.isWithin" (list $path $socketDir)) }}
{{- fail (printf "settings.socket is %s, outside of socketDir (%s). The Pod sees only that folder of the node's sockets: set socketDir to the folder of the socket." . $socketDir) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What listens on the node alone cannot be scraped from elsewhere. */}}
{{- define "antrea-cni.checkPodMonitor" -}}
{{- if and (.Values.podMonitor).enabled (not (include "antrea-cni.isReachable" .)) }}
{{- fail "podMonitor.enabled: Prometheus cannot reach the keepers. Set endpoint.enabled=true and endpoint.address=node ([node] where the nodes' addresses are IPv6)." }}
{{- end }}
{{- end }}

{{- /* Not empty if the endpoint is reached from other machines. */}}
{{- define "antrea-cni.isReachable" -}}
{{- with .Values.endpoint }}
{{- if and .enabled (ne .address "127.0.0.1") }}true{{ end }}
{{- end }}
{{- end }}

{{- /* Not empty if a path is below a folder. */}}
{{- define "antrea-cni.isWithin" -}}
{{- $folder := index . 1 | clean | trimSuffix "/" -}}
{{- if index . 0 | clean | hasPrefix (printf "%s/" $folder) -}}
true
{{- end }}
{{- end }}
