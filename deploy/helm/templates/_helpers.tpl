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
