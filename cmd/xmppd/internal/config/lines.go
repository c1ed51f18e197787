package config

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lines are where the keys of a file are: "listen.c2s", "host[1].domain". Tables are there as well.
type lines map[string]int

// linesOf reads where the keys of a file are, as far as it is TOML.
func linesOf(text []byte) lines {
	all, table, counts := lines{}, "", map[string]int{}
	var p unstable.Parser
	p.Reset(text)
	for p.NextExpression() {
		e := p.Expression()
		key, line := "", 0
		for k := e.Key(); k.Next(); {
			n := k.Node()
			if line == 0 {
				line = p.Shape(p.Range(n.Data)).Start.Line
			}
			key = join(key, string(n.Data))
		}
		switch e.Kind {
		case unstable.ArrayTable:
			table = fmt.Sprintf("%s[%d]", key, counts[key])
			counts[key]++
			all.add(table, line)
		case unstable.Table:
			table = key
			all.add(table, line)
		case unstable.KeyValue:
			all.add(join(table, key), line)
		}
	}
	return all
}

func (l lines) add(key string, line int) {
	if _, there := l[key]; !there {
		l[key] = line
	}
}

// of returns the line of a key, or of the table that it would be in; else zero.
func (l lines) of(key string) int {
	for key != "" {
		if line, ok := l[key]; ok {
			return line
		}
		i := strings.LastIndexAny(key, ".[")
		key = key[:max(i, 0)]
	}
	return 0
}

func join(table, key string) string {
	if table == "" {
		return key
	}
	return table + "." + key
}
