{{/*
The pod of a role. A dictionary: root; role; values (of the role); file (its configuration); args; ports (of the
container); env; volumes and mounts; drainSeconds; hostNetwork; antiAffinity (one on a node at most).
*/}}
{{- define "beekeepr.pod" -}}
{{- $root := .root -}}
{{- $pod := .values.pod -}}
{{- $selector := include "beekeepr.selector" . -}}
metadata:
  labels:
    {{- include "beekeepr.labels" . | nindent 4 }}
    {{- with $pod.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A pod reads its configuration once.
    checksum/config: {{ sha256sum .file }}
    {{- with $pod.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "beekeepr.serviceAccountName" $root }}
  automountServiceAccountToken: false
  # Nothing here is found by variables with names of Services.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "beekeepr.graceSeconds" . }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml $root.Values.podSecurityContext | nindent 4 }}
  {{- if .hostNetwork }}
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  {{- with $pod.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $pod.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $pod.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $pod.affinity }}
  affinity:
    {{- toYaml $pod.affinity | nindent 4 }}
  {{- else if .antiAffinity }}
  affinity:
    podAntiAffinity:
      # Two of them on a node would be behind one port.
      requiredDuringSchedulingIgnoredDuringExecution:
        - topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- $selector | nindent 14 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if $pod.topologySpreadConstraints }}
    {{- toYaml $pod.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- $selector | nindent 10 }}
    {{- end }}
    {{- end }}
  containers:
    - name: {{ .role }}
      image: {{ include "beekeepr.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args:
        - {{ .role }}
        - --config=/etc/beekeepr/beekeepr.toml
        {{- range .args }}
        - {{ . | quote }}
        {{- end }}
      {{- with concat (default list .env) $pod.env }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $pod.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- range .ports }}
        - {{ toYaml . | nindent 10 | trim }}
        {{- end }}
        - name: admin
          containerPort: {{ $root.Values.admin.port }}
          protocol: TCP
      startupProbe:
        httpGet: { path: /readyz, port: admin }
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /livez, port: admin }
        periodSeconds: 10
        timeoutSeconds: 3
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: admin }
        periodSeconds: 5
        timeoutSeconds: 3
      {{- with $root.Values.preStopSeconds }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ . }}
      {{- end }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      securityContext:
        {{- toYaml $root.Values.securityContext | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/beekeepr
          readOnly: true
        - name: admin
          mountPath: /run/secrets/admin
          readOnly: true
        {{- with concat (default list .mounts) $pod.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      {{- if .secretConfig }}
      secret:
        secretName: {{ include "beekeepr.fullname" $root }}-{{ .role }}
      {{- else }}
      configMap:
        name: {{ include "beekeepr.fullname" $root }}-{{ .role }}
      {{- end }}
    - name: admin
      secret:
        secretName: {{ include "beekeepr.adminSecret" $root }}
        items:
          - { key: token, path: token }
    {{- with concat (default list .volumes) $pod.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* What ends after preStop and drain, with time to close files. */}}
{{- define "beekeepr.graceSeconds" -}}
{{- $least := add .root.Values.preStopSeconds .drainSeconds 5 -}}
{{- max $least .values.pod.terminationGracePeriodSeconds -}}
{{- end -}}

{{/* A volume with one key of a Secret as the file /run/secrets/NAME/PATH: dictionaries for volumes and mounts. */}}
{{- define "beekeepr.secretVolume" -}}
name: {{ .name }}
secret:
  secretName: {{ .secret }}
  {{- with .key }}
  items:
    - { key: {{ . }}, path: {{ . }} }
  {{- end }}
{{- end -}}
{{- define "beekeepr.secretMount" -}}
name: {{ .name }}
mountPath: /run/secrets/{{ .name }}
readOnly: true
{{- end -}}
