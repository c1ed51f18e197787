// Package metrics tells monitoring how a server does, by HTTP: /metrics in the format of OpenMetrics, which Prometheus and
// others read, /healthz for "the process lives" and /readyz for "it serves clients".
package metrics

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp/server"
)

// A Source is what is measured.
type Source struct {
	Stats   func() server.Stats
	Version string
	Started time.Time
	// Certificates are when those that are shown end, by domain.
	Certificates func() map[string]time.Time
	// Ready reports why the server does not serve clients, nil if it does.
	Ready func(context.Context) error
}

// readiness bounds how long the store may take to answer /readyz.
const readiness = 5 * time.Second

// Handler answers monitoring.
func Handler(s Source) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
		_, _ = w.Write(s.text())
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readiness)
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return mux
}

// A family is a metric.
type family struct {
	name, kind, unit, help string
}

// statistics are the fields of server.Stats.
var statistics = map[string]family{
	"Connections":     {"xmppd_connections", "gauge", "", "Connections of clients."},
	"Unauthenticated": {"xmppd_connections_unauthenticated", "gauge", "", "Connections that are not bound to a resource yet."},
	"Sessions":        {"xmppd_sessions", "gauge", "", "Sessions, connected or not."},
	"Suspended":       {"xmppd_sessions_suspended", "gauge", "", "Sessions that wait for their clients to resume them."},
	"Accounts":        {"xmppd_accounts_active", "gauge", "", "Accounts with a session, or just being dealt with."},
	"Pending":         {"xmppd_messages_pending", "gauge", "", "Messages that are being stored."},
	"Connected":       {"xmppd_connections_accepted", "counter", "", "Connections that were accepted."},
	"Refused":         {"xmppd_connections_refused", "counter", "", "Connections that a limit refused."},
	"Opened":          {"xmppd_sessions_opened", "counter", "", "Sessions that began."},
	"Resumed":         {"xmppd_sessions_resumed", "counter", "", "Sessions that were resumed."},
	"Expired":         {"xmppd_sessions_expired", "counter", "", "Suspended sessions that nobody resumed."},
	"Messages":        {"xmppd_messages_received", "counter", "", "Messages that clients have sent."},
	"Presences":       {"xmppd_presences_received", "counter", "", "Presences that clients have sent."},
	"IQs":             {"xmppd_iqs_received", "counter", "", "Queries and answers that clients have sent."},
	"Stored":          {"xmppd_messages_stored", "counter", "", "Messages that were kept for later."},
	"Overflowed":      {"xmppd_stanzas_overflowed", "counter", "", "Stanzas that found no room in the queue of their recipient."},
	"SlowReaders":     {"xmppd_sessions_slow_readers", "counter", "", "Sessions that ended because their clients did not read."},
	"Slowed":          {"xmppd_pauses", "counter", "", "Pauses that rates have caused."},
}

// A page is what is told at one time.
type page struct{ b []byte }

func (p *page) head(f family) {
	p.b = fmt.Appendf(p.b, "# TYPE %s %s\n", f.name, f.kind)
	if f.unit != "" {
		p.b = fmt.Appendf(p.b, "# UNIT %s %s\n", f.name, f.unit)
	}
	p.b = fmt.Appendf(p.b, "# HELP %s %s\n", f.name, f.help)
}

// sample adds a value; labels are pairs.
func (p *page) sample(f family, value float64, labels ...string) {
	p.b = append(p.b, f.name...)
	switch f.kind {
	case "counter":
		p.b = append(p.b, "_total"...)
	case "info":
		p.b = append(p.b, "_info"...)
	}
	for i := 0; i < len(labels); i += 2 {
		p.b = append(p.b, "{,"[min(i, 1)])
		p.b = fmt.Appendf(p.b, `%s="%s"`, labels[i], escaper.Replace(labels[i+1]))
	}
	if len(labels) > 0 {
		p.b = append(p.b, '}')
	}
	p.b = append(p.b, ' ')
	p.b = strconv.AppendFloat(p.b, value, 'f', -1, 64)
	p.b = append(p.b, '\n')
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (p *page) single(f family, value float64, labels ...string) {
	p.head(f)
	p.sample(f, value, labels...)
}

// text is everything.
func (s Source) text() []byte {
	p := new(page)
	p.single(family{"xmppd", "info", "", "The program."}, 1, "version", s.Version)
	stats := reflect.ValueOf(s.Stats())
	for i := range stats.NumField() {
		f, known := statistics[stats.Type().Field(i).Name]
		if !known { // TestAllStatistics
			continue
		}
		v := stats.Field(i)
		if v.CanUint() {
			p.single(f, float64(v.Uint()))
		} else {
			p.single(f, float64(v.Int()))
		}
	}
	expiry := family{"xmppd_certificate_expiry_timestamp_seconds", "gauge", "seconds", "When the certificate of a domain ends."}
	p.head(expiry)
	for domain, end := range s.Certificates() {
		p.sample(expiry, float64(end.Unix()), "domain", domain)
	}
	p.process(s.Started)
	return append(p.b, "# EOF\n"...)
}

// process adds what is known of the process, by the names that are usual for it.
func (p *page) process(started time.Time) {
	samples := []metrics.Sample{
		{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"}, {Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	for i, f := range []family{
		{"go_goroutines", "gauge", "", "Goroutines that exist."},
		{"go_memory_heap_objects_bytes", "gauge", "bytes", "Memory of objects, dead ones included that were not collected yet."},
		{"go_memory_total_bytes", "gauge", "bytes", "Memory that the Go runtime has mapped."},
		{"go_gc_cycles", "counter", "", "Garbage collections."},
	} {
		if v := samples[i].Value; v.Kind() == metrics.KindUint64 {
			p.single(f, float64(v.Uint64()))
		}
	}
	p.single(family{"process_start_time_seconds", "gauge", "seconds", "When the process began, since 1970."}, float64(started.UnixMilli())/1000)
	u, ok := usageOf()
	if !ok {
		return
	}
	p.single(family{"process_cpu_seconds", "counter", "seconds", "CPU time that the process has used."}, u.cpu.Seconds())
	if u.resident > 0 {
		p.single(family{"process_resident_memory_bytes", "gauge", "bytes", "Memory of the machine that the process uses."}, float64(u.resident))
	}
	if u.files > 0 {
		p.single(family{"process_open_fds", "gauge", "", "Files and connections that are open."}, float64(u.files))
		p.single(family{"process_max_fds", "gauge", "", "Files and connections that may be open."}, float64(u.maxFiles))
	}
}

// usage is what the process takes of the machine; what is zero is not known.
type usage struct {
	cpu             time.Duration
	resident        uint64
	files, maxFiles uint64
}
