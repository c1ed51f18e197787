//go:build expat && cgo

#include <stdlib.h>
#include <string.h>
#include "handlers.h"

/* Handlers that count, as little as a program can do that wants to know all. */

static void count_start(void *data, const XML_Char *name, const XML_Char **attrs)
{
	struct counts *c = data;
	c->elements++;
	for (; *attrs; attrs += 2)
		c->attrs++;
}

static void count_end(void *data, const XML_Char *name)
{
	struct counts *c = data;
	c->ends++;
}

static void count_text(void *data, const XML_Char *s, int len)
{
	struct counts *c = data;
	c->text += len;
}

int feeder_open(struct feeder *f, const char *header, size_t header_len, const char *unit, size_t unit_len)
{
	memset(f, 0, sizeof *f);
	f->unit = unit_len;
	f->parser = XML_ParserCreateNS(NULL, SEPARATOR);
	f->ring = malloc(unit_len + CHUNK);
	if (!f->parser || !f->ring)
		return 0;
	for (size_t i = 0; i < unit_len + CHUNK; i++)
		f->ring[i] = unit[i % unit_len];
	XML_SetUserData(f->parser, &f->counts);
	XML_SetElementHandler(f->parser, count_start, count_end);
	XML_SetCharacterDataHandler(f->parser, count_text);
	return XML_Parse(f->parser, header, (int)header_len, 0) == XML_STATUS_OK;
}

int feeder_feed(struct feeder *f, long long units)
{
	for (long long left = units * (long long)f->unit; left > 0;) {
		int n = left < CHUNK ? (int)left : CHUNK;
		if (XML_Parse(f->parser, f->ring + f->at, n, 0) != XML_STATUS_OK)
			return 0;
		f->at = (f->at + (size_t)n) % f->unit;
		left -= n;
	}
	return 1;
}

void feeder_close(struct feeder *f)
{
	if (f->parser)
		XML_ParserFree(f->parser);
	free(f->ring);
	memset(f, 0, sizeof *f);
}

/* Handlers that record. */

static void put(struct record *r, char kind, const char *s, size_t n)
{
	if (r->failed)
		return;
	if (r->cap - r->len < n + 1) {
		size_t cap = 2 * r->cap + n + 1;
		char *buf = realloc(r->buf, cap);
		if (!buf) {
			r->failed = 1;
			return;
		}
		r->buf = buf;
		r->cap = cap;
	}
	r->buf[r->len++] = kind;
	memcpy(r->buf + r->len, s, n);
	r->len += n;
}

static void record_start(void *data, const XML_Char *name, const XML_Char **attrs)
{
	struct record *r = data;
	put(r, START, name, strlen(name));
	for (; *attrs; attrs += 2) {
		put(r, ATTR, attrs[0], strlen(attrs[0]));
		put(r, VALUE, attrs[1], strlen(attrs[1]));
	}
}

static void record_end(void *data, const XML_Char *name)
{
	put(data, END, name, strlen(name));
}

static void record_text(void *data, const XML_Char *s, int len)
{
	put(data, TEXT, s, (size_t)len);
}

int record_parse(struct record *r, const char *doc, size_t len)
{
	memset(r, 0, sizeof *r);
	r->parser = XML_ParserCreateNS(NULL, SEPARATOR);
	if (!r->parser)
		return 0;
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, record_start, record_end);
	XML_SetCharacterDataHandler(r->parser, record_text);
	return XML_Parse(r->parser, doc, (int)len, 1) == XML_STATUS_OK && !r->failed;
}

void record_close(struct record *r)
{
	if (r->parser)
		XML_ParserFree(r->parser);
	free(r->buf);
	memset(r, 0, sizeof *r);
}
