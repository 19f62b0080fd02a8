{{/* The configuration file of a role. Values in JSON are values in TOML as well. */}}

{{/* A table below its heading: plain keys first, as TOML wants it. A dictionary with name and value. */}}
{{- define "beekeepr.toml" -}}
{{- $name := .name -}}
{{- $tables := dict -}}
{{- range $key, $value := .value -}}
{{- $toml := ternary $key (toJson $key) (regexMatch "^[A-Za-z0-9_-]+$" $key) -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $tables $toml $value -}}
{{- else if and (kindIs "slice" $value) $value (kindIs "map" (first $value)) -}}
{{- $_ := set $tables $toml $value -}}
{{- else if not (kindIs "invalid" $value) }}
{{ $toml }} = {{ toJson $value }}
{{- end -}}
{{- end -}}
{{- range $key, $value := $tables -}}
{{- $path := printf "%s.%s" $name $key -}}
{{- if kindIs "map" $value }}

[{{ $path }}]
{{- include "beekeepr.toml" (dict "name" $path "value" $value) }}
{{- else }}
{{- range $value }}

[[{{ $path }}]]
{{- include "beekeepr.toml" (dict "name" $path "value" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The whole file; a dictionary with root, role, section (what the chart sets) and config (what the operator sets). */}}
{{- define "beekeepr.file" -}}
{{- $admin := dict "listen" (printf "%s:%d" .root.Values.listenHost (int .root.Values.admin.port)) "token_file" "/run/secrets/admin/token" -}}
[log]
{{- include "beekeepr.toml" (dict "name" "log" "value" .root.Values.log) }}

[admin]
{{- include "beekeepr.toml" (dict "name" "admin" "value" $admin) }}
{{- with mustMergeOverwrite (deepCopy .section) (deepCopy .config) }}

[{{ $.role }}]
{{- include "beekeepr.toml" (dict "name" $.role "value" .) }}
{{- end }}
{{- end -}}
