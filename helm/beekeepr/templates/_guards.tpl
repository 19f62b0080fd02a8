{{/* Combinations that would install and then not work. Each message says what to write instead. */}}

{{- define "beekeepr.guards" -}}
{{- $v := .Values -}}
{{- if not (or $v.tracker.enabled $v.stun.enabled $v.seeder.enabled $v.control.enabled) -}}
{{- fail "no role is enabled; enable tracker, stun, seeder or control" -}}
{{- end -}}
{{- range $role := list "tracker" "stun" "seeder" "control" -}}
{{- $values := index $v $role -}}
{{- $least := add $v.preStopSeconds $values.drainSeconds 5 -}}
{{- $grace := int64 $values.pod.terminationGracePeriodSeconds -}}
{{- if and $grace (lt $grace $least) -}}
{{- fail (printf "%s.pod.terminationGracePeriodSeconds is %d: its drain would be cut off; write %d or more, or 0" $role $grace $least) -}}
{{- end -}}
{{- range $key := include "beekeepr.ownKeys" $role | fromJsonArray -}}
{{- if hasKey $values.config $key -}}
{{- fail (printf "%s.config.%s is set by the chart; see the values of %s that it comes from" $role $key $role) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $v.tracker.enabled -}}{{- include "beekeepr.guards.tracker" . -}}{{- end -}}
{{- if $v.stun.enabled -}}{{- include "beekeepr.guards.stun" . -}}{{- end -}}
{{- if $v.seeder.enabled -}}{{- include "beekeepr.guards.seeder" . -}}{{- end -}}
{{- if $v.control.enabled -}}{{- include "beekeepr.guards.control" . -}}{{- end -}}
{{- end -}}

{{/* Keys of a role's section that other values make. */}}
{{- define "beekeepr.ownKeys" -}}
{{- dict
  "tracker" (list "listen" "drain_s" "trusted_proxies" "tls")
  "stun" (list "listen" "tcp_listen" "drain_s" "alternate")
  "seeder" (list "channels" "trackers" "udp" "external_ips" "drain_s" "token_file" "disk" "shards")
  "control" (list "listen" "data" "database" "database_file" "secret_file")
| dig . list | toJson -}}
{{- end -}}

{{- define "beekeepr.guards.tracker" -}}
{{- $t := .Values.tracker -}}
{{- if and (or (gt (int $t.replicas) 1) $t.autoscaling.enabled) (not $t.allowSeveral) -}}
{{- fail "tracker.replicas or tracker.autoscaling would make several trackers: viewers of one stream on different ones do not meet; write tracker.replicas=1, or tracker.allowSeveral=true where something brings them together" -}}
{{- end -}}
{{- if and (or $t.ingress.enabled $t.httpRoute.enabled) (not $t.trustedProxies) -}}
{{- fail "tracker.trustedProxies is empty: behind an Ingress or HTTPRoute all viewers would share one address and its limits; name the networks of the proxy's pods, for example 10.0.0.0/8" -}}
{{- end -}}
{{- if and $t.httpRoute.enabled (not $t.httpRoute.parentRefs) -}}
{{- fail "tracker.httpRoute.parentRefs is empty: no Gateway would take the route; name one" -}}
{{- end -}}
{{- if and $t.ingress.enabled (not $t.ingress.hosts) -}}
{{- fail "tracker.ingress.hosts is empty; name the host that pages connect to" -}}
{{- end -}}
{{- if and $t.tls.existingSecret (or $t.ingress.enabled $t.httpRoute.enabled) -}}
{{- fail "tracker.tls.existingSecret and an Ingress or HTTPRoute: proxies speak plain HTTP to the tracker; end TLS at one of the two" -}}
{{- end -}}
{{- if and (ne $t.service.type "ClusterIP") (eq $t.service.externalTrafficPolicy "Cluster") (not $t.trustedProxies) -}}
{{- fail "tracker.service.externalTrafficPolicy=Cluster hides the viewers' addresses; write Local" -}}
{{- end -}}
{{- end -}}

{{- define "beekeepr.guards.stun" -}}
{{- $s := .Values.stun -}}
{{- if and (not $s.hostNetwork) (eq $s.service.externalTrafficPolicy "Cluster") -}}
{{- fail "stun.service.externalTrafficPolicy=Cluster hides the viewers' addresses, which are what STUN tells them; write Local" -}}
{{- end -}}
{{- if and (eq $s.kind "DaemonSet") (not $s.hostNetwork) -}}
{{- fail "stun.kind=DaemonSet serves nodes' own addresses; write stun.hostNetwork=true with it" -}}
{{- end -}}
{{- if and (eq $s.kind "DaemonSet") $s.autoscaling.enabled -}}
{{- fail "stun.autoscaling cannot scale a DaemonSet; write stun.kind=Deployment" -}}
{{- end -}}
{{- if and $s.service.nodePort (ne $s.service.type "NodePort") -}}
{{- fail "stun.service.nodePort is for stun.service.type=NodePort" -}}
{{- end -}}
{{- if and $s.tcp (not $s.hostNetwork) (eq $s.service.type "NodePort") $s.service.nodePort -}}
{{- fail "stun.tcp with a fixed stun.service.nodePort: only the UDP port can have it; write nodePort=0" -}}
{{- end -}}
{{- end -}}

{{- define "beekeepr.guards.seeder" -}}
{{- $s := .Values.seeder -}}
{{- $several := or (gt (int $s.replicas) 1) $s.autoscaling.enabled -}}
{{- if and (not $s.trackers) (not .Values.tracker.enabled) -}}
{{- fail "seeder.trackers is empty and the release has no tracker; name one" -}}
{{- end -}}
{{- if and $s.channelsFrom.existingSecret (not $s.channelsFrom.url) (not .Values.control.enabled) -}}
{{- fail "seeder.channelsFrom.url is empty and the release has no control; name one" -}}
{{- end -}}
{{- if eq $s.network "LoadBalancer" -}}
{{- if not $s.externalIPs -}}
{{- fail "seeder.network=LoadBalancer needs seeder.externalIPs: viewers must be told the balancer's address; reserve one and name it" -}}
{{- end -}}
{{- if $several -}}
{{- fail "seeder.network=LoadBalancer takes seeder.replicas=1 alone: a viewer's packets have to reach the seeder that it talks to; write NodePort or HostNetwork" -}}
{{- end -}}
{{- end -}}
{{- if and (eq $s.network "NodePort") (or (lt (int $s.udpPort) 30000) (gt (int $s.udpPort) 32767)) -}}
{{- fail (printf "seeder.udpPort is %d: a NodePort is 30000 to 32767 unless the cluster says otherwise; choose one, or seeder.network=HostNetwork" (int $s.udpPort)) -}}
{{- end -}}
{{- if and $several $s.externalIPs -}}
{{- fail "seeder.externalIPs with several replicas: each is at the address of its own node; leave it empty" -}}
{{- end -}}
{{- if and $s.shield.enabled $several (not $s.shield.existingSecret) -}}
{{- fail "seeder.shield with several replicas needs seeder.shield.existingSecret: players meet another seeder at each request, and all must know the same key" -}}
{{- end -}}
{{- if and (hasPrefix "http://" $s.channelsFrom.url) (not (regexMatch "^http://[^/]+[.]svc([.:/]|$)" $s.channelsFrom.url)) -}}
{{- fail "seeder.channelsFrom.url is plain HTTP to somewhere else than this cluster: its list has credentials in it; write https" -}}
{{- end -}}
{{- end -}}

{{- define "beekeepr.guards.control" -}}
{{- $c := .Values.control -}}
{{- $postgres := or $c.database.url $c.database.existingSecret -}}
{{- if and (gt (int $c.replicas) 1) (not $postgres) -}}
{{- fail "control.replicas > 1 with SQLite: each would have a database of its own; name a PostgreSQL database in control.database" -}}
{{- end -}}
{{- if and $postgres (not $c.secret.existingSecret) -}}
{{- fail "control.secret.existingSecret is empty: what is sealed in a PostgreSQL database would be lost with the pod that made the secret; name one" -}}
{{- end -}}
{{- $b := $c.beacons -}}
{{- if and $b.enabled (or $b.ingress.enabled $b.httpRoute.enabled) (not $b.trustedProxies) -}}
{{- fail "control.beacons.trustedProxies is empty: behind an Ingress or HTTPRoute all viewers would share one address and its limit; name the networks of the proxy's pods, for example 10.0.0.0/8" -}}
{{- end -}}
{{- if and $b.httpRoute.enabled (not $b.httpRoute.parentRefs) -}}
{{- fail "control.beacons.httpRoute.parentRefs is empty: no Gateway would take the route; name one" -}}
{{- end -}}
{{- if and $b.ingress.enabled (not $b.ingress.hosts) -}}
{{- fail "control.beacons.ingress.hosts is empty; name the host that pages report to" -}}
{{- end -}}
{{- if and $c.database.url $c.database.existingSecret -}}
{{- fail "control.database.url and control.database.existingSecret: write one of the two" -}}
{{- end -}}
{{- if regexMatch "://[^/@]*:[^/@]+@" $c.database.url -}}
{{- fail "control.database.url has a password in it, which everybody could read in the pod's description; put the URL into a Secret (control.database.existingSecret)" -}}
{{- end -}}
{{- if and $c.httpRoute.enabled (not $c.httpRoute.parentRefs) -}}
{{- fail "control.httpRoute.parentRefs is empty: no Gateway would take the route; name one" -}}
{{- end -}}
{{- if and $c.ingress.enabled (not $c.ingress.hosts) -}}
{{- fail "control.ingress.hosts is empty; name the dashboard's host" -}}
{{- end -}}
{{- end -}}
