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

{{- define "antrea-cni.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
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
{{- with .Values.settings.logFile }}
{{- if not (include "antrea-cni.isWithin" (list . $.Values.logDir)) }}
{{- fail (printf "settings.logFile is %s, outside of logDir (%s). The Pod sees only that folder of the node's logs: set logDir to the folder of the log file." . $.Values.logDir) }}
{{- end }}
{{- end }}
{{- with .Values.settings.socket }}
{{- $path := trimPrefix "unix:" . }}
{{- if hasPrefix "unix://" . }}
{{- $path = trimPrefix "unix://" . }}
{{- end }}
{{- if gt (len $path) 107 }}
{{- fail (printf "settings.socket has %d bytes. The kernel takes at most 107." (len $path)) }}
{{- end }}
{{- if not (include "antrea-cni.isWithin" (list $path $.Values.socketDir)) }}
{{- fail (printf "settings.socket is %s, outside of socketDir (%s). The Pod sees only that folder of the node's sockets: set socketDir to the folder of the socket." . $.Values.socketDir) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Not empty if a path is below a folder. */}}
{{- define "antrea-cni.isWithin" -}}
{{- $folder := index . 1 | clean | trimSuffix "/" -}}
{{- if index . 0 | clean | hasPrefix (printf "%s/" $folder) -}}
true
{{- end }}
{{- end }}
