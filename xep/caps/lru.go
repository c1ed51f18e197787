package caps

import "container/list"

// An lru is a map of bounded size that forgets first what was not used for the longest time. It is for one goroutine.
type lru[K comparable, V any] struct {
	limit, size int
	entries     map[K]*list.Element
	order       list.List // of *entry, the one used last in front
}

type entry[K comparable, V any] struct {
	key   K
	value V
	cost  int
}

func newLRU[K comparable, V any](limit int) *lru[K, V] {
	return &lru[K, V]{limit: limit, entries: make(map[K]*list.Element)}
}

func (l *lru[K, V]) get(k K) (v V, ok bool) {
	e, ok := l.entries[k]
	if !ok {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*entry[K, V]).value, true
}

// put keeps v, which takes cost of the limit; nothing, if that is too much for all of it.
func (l *lru[K, V]) put(k K, v V, cost int) {
	l.remove(k)
	if cost > l.limit {
		return
	}
	l.entries[k] = l.order.PushFront(&entry[K, V]{k, v, cost})
	l.size += cost
	for l.size > l.limit {
		l.remove(l.order.Back().Value.(*entry[K, V]).key)
	}
}

func (l *lru[K, V]) remove(k K) {
	if e, ok := l.entries[k]; ok {
		l.size -= e.Value.(*entry[K, V]).cost
		l.order.Remove(e)
		delete(l.entries, k)
	}
}
