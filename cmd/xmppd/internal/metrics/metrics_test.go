package metrics

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/server"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func source() Source {
	return Source{
		Stats:        func() server.Stats { return server.Stats{Sessions: 3, Messages: 1 << 40} },
		Version:      `1 "beta"`,
		Started:      time.Unix(1700000000, 500e6),
		Certificates: func() map[string]time.Time { return map[string]time.Time{"localhost": time.Unix(1800000000, 0)} },
		Ready:        func(context.Context) error { return nil },
	}
}

func get(t *testing.T, s Source, path string) (code int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(s).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	b, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return w.Code, string(b)
}

// Whatever the server counts is told: a field that is new has to get a name here.
func TestAllStatistics(t *testing.T) {
	names := map[string]bool{}
	for f := range reflect.TypeFor[server.Stats]().Fields() {
		require.Contains(t, statistics, f.Name)
		require.False(t, names[statistics[f.Name].name])
		names[statistics[f.Name].name] = true
	}
	require.Len(t, names, len(statistics))
}

var (
	comment = regexp.MustCompile(`^# (TYPE [a-z_]+ (gauge|counter|info)|UNIT ([a-z_]+) [a-z]+|HELP [a-z_]+ [A-Z].*\.|EOF)$`)
	sample  = regexp.MustCompile(`^([a-z_]+)(\{[a-z]+="([^"\\]|\\.)*"\})? [0-9.]+$`)
)

// Each line is one of OpenMetrics 1.0; names are those of the family above, with the suffix of its kind.
func TestOpenMetrics(t *testing.T) {
	code, text := get(t, source(), "/metrics")
	require.Equal(t, 200, code)
	require.True(t, strings.HasSuffix(text, "\n# EOF\n"))
	name, kind := "", ""
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			require.Regexp(t, comment, line)
			words := strings.Fields(line)
			if words[1] == "TYPE" {
				name, kind = words[2], words[3]
				require.False(t, seen[name], name)
				seen[name] = true
			} else if words[1] == "UNIT" {
				require.True(t, strings.HasSuffix(name, "_"+words[3]), line)
			}
			continue
		}
		m := sample.FindStringSubmatch(line)
		require.NotNil(t, m, line)
		require.Equal(t, name+map[string]string{"counter": "_total", "info": "_info"}[kind], m[1])
	}
	require.Contains(t, text, "\nxmppd_sessions 3\n")
	require.Contains(t, text, "\nxmppd_messages_received_total 1099511627776\n")
	require.Contains(t, text, `xmppd_info{version="1 \"beta\""} 1`)
	require.Contains(t, text, "\nprocess_start_time_seconds 1700000000.5\n")
	require.Contains(t, text, `xmppd_certificate_expiry_timestamp_seconds{domain="localhost"} 1800000000`)
}

func TestReady(t *testing.T) {
	s := source()
	code, body := get(t, s, "/readyz")
	require.Equal(t, 200, code, body)
	s.Ready = func(ctx context.Context) error {
		_, bounded := ctx.Deadline()
		require.True(t, bounded)
		return errors.New("the server is stopping")
	}
	code, body = get(t, s, "/readyz")
	require.Equal(t, 503, code)
	require.Equal(t, "not ready: the server is stopping\n", body)
	code, _ = get(t, s, "/healthz")
	require.Equal(t, 200, code)
	code, _ = get(t, s, "/")
	require.Equal(t, 404, code)
}
