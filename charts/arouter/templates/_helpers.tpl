{{- define "arouter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "arouter.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "arouter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "arouter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "arouter.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "arouter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: arouter
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "arouter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "arouter.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "arouter.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "arouter.secretName" -}}
{{- default (printf "%s-keys" (include "arouter.fullname" .)) .Values.keys.existingSecret }}
{{- end }}

{{- define "arouter.hasPolicy" -}}
{{- if or .Values.policy .Values.existingPolicyConfigMap }}true{{ end }}
{{- end }}

{{/* Whole seconds, rounded up, of a duration such as 250ms, 5s, 1.5m or 1h. */}}
{{- define "arouter.seconds" -}}
{{- if not (regexMatch "^[0-9]+([.][0-9]+)?(ms|s|m|h)$" .) }}
{{- fail (printf "config.drain: %s: the time that a pod gets to end follows from it; write a duration such as 250ms, 5s, 1.5m or 1h" .) }}
{{- end }}
{{- $number := regexFind "^[0-9.]+" . | float64 }}
{{- $seconds := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 }}
{{- mulf $number (get $seconds (regexFind "[a-z]+$" .)) | ceil | int }}
{{- end }}

{{/* Time to drain, and some to spare. */}}
{{- define "arouter.gracePeriod" -}}
{{- $drain := default dict .Values.config.drain }}
{{- $delay := include "arouter.seconds" (default "5s" $drain.delay) | int }}
{{- $timeout := include "arouter.seconds" (default "60s" $drain.timeout) | int }}
{{- add .Values.preStopSleepSeconds $delay $timeout 10 }}
{{- end }}

{{/* The configuration that the pods get: the values', and what follows from other values. */}}
{{- define "arouter.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $metrics := dict "listen_addr" (printf "0.0.0.0:%d" (int .Values.metrics.port)) }}
{{- $_ := set $config "metrics" (merge (default dict $config.metrics) $metrics) }}
{{- $_ := set $config "log" (merge (default dict $config.log) (dict "format" "json")) }}
{{- if .Values.callerKeysSecret }}
{{- $_ := set $config "auth" (merge (default dict $config.auth) (dict "keys_file" "/etc/arouter-callers/keys.txt")) }}
{{- end }}
{{- toToml $config }}
{{- end }}

{{- define "arouter.scheme" -}}
{{- if dig "server" "tls" "" .Values.config }}HTTPS{{ else }}HTTP{{ end }}
{{- end }}
