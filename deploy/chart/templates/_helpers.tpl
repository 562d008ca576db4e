{{/* On one line, to stand wherever a mapping may. */}}
{{- define "gatefold.labels" -}}
{app.kubernetes.io/name: gatefold, app.kubernetes.io/instance: {{ .root.Release.Name }}, app.kubernetes.io/component: {{ .process }}}
{{- end }}

{{- define "gatefold.group" -}}
{{ .Values.kafka.topicPrefix }}{{ .Values.settings.GATEFOLD_GROUP | default "gatefold" }}
{{- end }}

{{/* The container of one process; .account is whose address of PostgreSQL it has. */}}
{{- define "gatefold.container" -}}
name: {{ .process }}
image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ .process }}]
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts: [{name: tmp, mountPath: /tmp}]
env:
  - {name: GATEFOLD_KAFKA_URL, value: "kafka://{{ .root.Values.kafka.bootstrap }}"}
  - {name: GATEFOLD_TOPIC_PREFIX, value: {{ .root.Values.kafka.topicPrefix | quote }}}
  - {name: GATEFOLD_TOPIC_PARTITIONS, value: {{ .root.Values.kafka.partitions | quote }}}
  - {name: GATEFOLD_TOPIC_REPLICATION, value: {{ .root.Values.kafka.replication | quote }}}
  {{- range $name, $value := .root.Values.settings }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
  - name: GATEFOLD_POSTGRES_URL
    valueFrom: {secretKeyRef: {name: {{ .root.Values.existingSecret }}, key: {{ .account }}-postgres-url}}
  {{- if eq .process "worker" }}
  - name: GATEFOLD_ERASURE_KEY
    valueFrom: {secretKeyRef: {name: {{ .root.Values.existingSecret }}, key: GATEFOLD_ERASURE_KEY}}
  {{- end }}
  {{- if eq .process "graph" }}
  - name: GATEFOLD_NEO4J_URL
    valueFrom: {secretKeyRef: {name: {{ .root.Values.existingSecret }}, key: GATEFOLD_NEO4J_URL}}
  {{- end }}
  {{- if eq .process "notifier" }}
  {{- range list "GATEFOLD_NOTIFIER_WEBHOOK_URL" "GATEFOLD_NOTIFIER_SECRET" "GATEFOLD_NOTIFIER_SMTP_URL" }}
  - name: {{ . }}
    valueFrom: {secretKeyRef: {name: {{ $.root.Values.existingSecret }}, key: {{ . }}, optional: true}}
  {{- end }}
  {{- end }}
  {{- if eq .process "api" }}
  - name: GATEFOLD_POSTGRES_ADMIN_URL
    valueFrom: {secretKeyRef: {name: {{ .root.Values.existingSecret }}, key: admin-postgres-url, optional: true}}
  {{- range list "GATEFOLD_JWT_SECRET" "GATEFOLD_JWT_PUBLIC_KEY" "GATEFOLD_JWT_JWKS_URL" }}
  - name: {{ . }}
    valueFrom: {secretKeyRef: {name: {{ $.root.Values.existingSecret }}, key: {{ . }}, optional: true}}
  {{- end }}
  {{- end }}
{{- end }}

{{- define "gatefold.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumes: [{name: tmp, emptyDir: {}}]
{{- end }}
