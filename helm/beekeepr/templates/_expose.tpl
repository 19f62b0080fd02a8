{{/* Ways from outside to an HTTP or WebSocket port. A dictionary: root, role, suffix, values (service and routes). */}}
{{- define "beekeepr.routes" -}}
{{- $route := .values.httpRoute -}}
{{- $ingress := .values.ingress -}}
{{- $service := printf "%s-%s%s" (include "beekeepr.fullname" .root) .role (empty .suffix | ternary "" (printf "-%s" .suffix)) -}}
{{- if $route.enabled }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  {{- include "beekeepr.metadata" (merge (dict "annotations" $route.annotations) .) | nindent 2 }}
spec:
  parentRefs:
    {{- toYaml $route.parentRefs | nindent 4 }}
  {{- with $route.hostnames }}
  hostnames:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    - matches:
        - path:
            type: PathPrefix
            value: {{ $route.path }}
      backendRefs:
        - name: {{ $service }}
          port: {{ .values.service.port }}
{{- end }}
{{- if $ingress.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "beekeepr.metadata" (merge (dict "annotations" $ingress.annotations) .) | nindent 2 }}
spec:
  {{- with $ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with $ingress.tls }}
  tls:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    {{- range $ingress.hosts }}
    - host: {{ . | quote }}
      http:
        paths:
          - path: {{ $ingress.path }}
            pathType: Prefix
            backend:
              service:
                name: {{ $service }}
                port:
                  name: http
    {{- end }}
{{- end }}
{{- end -}}

{{/* The configuration of a role as an object: a ConfigMap, or a Secret where it may hold credentials. */}}
{{- define "beekeepr.configObject" -}}
---
apiVersion: v1
kind: {{ ternary "Secret" "ConfigMap" (default false .secretConfig) }}
metadata:
  {{- include "beekeepr.metadata" . | nindent 2 }}
{{ ternary "stringData" "data" (default false .secretConfig) }}:
  beekeepr.toml: |
    {{- .file | nindent 4 }}
{{- end -}}
