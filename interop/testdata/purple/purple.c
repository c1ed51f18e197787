/* A device of somebody's, made of libpurple, as Pidgin and Finch are. It does what the lines of its standard input
 * say, and tells on its standard output what happens, a line each.
 *
 *     purple JID HOST:PORT DIRECTORY-OF-AUTHORITIES DIRECTORY
 *
 * The first line of the input is the password. Then there may be
 *
 *     add JID            a contact, and ask for his presence
 *     allow JID          who has asked
 *     remove JID
 *     status ID [TEXT]
 *     say JID TEXT
 *     block JID          and unblock
 *     card XML           is the own vCard
 *     info JID           about somebody
 *     connect            again
 *     quit
 */
#include <glib.h>
#include <purple.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static PurpleAccount *account;
static GMainLoop *loop;
static GHashTable *asking; /* JID: who wants to see our presence, and how to allow it */

typedef struct {
	PurpleAccountRequestAuthorizationCb allow;
	void *data;
} Asked;

G_GNUC_PRINTF(1, 2) static void tell(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *line = g_strdup_vprintf(format, args);
	va_end(args);
	g_strdelimit(line, "\r\n", ' ');
	puts(line);
	fflush(stdout);
	g_free(line);
}

/* The event loop of the library is that of GLib. */

typedef struct {
	PurpleInputFunction call;
	gpointer data;
} Watch;

static gboolean ready(GIOChannel *channel, GIOCondition condition, gpointer data)
{
	Watch *w = data;
	PurpleInputCondition what = 0;
	if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR))
		what |= PURPLE_INPUT_READ;
	if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL))
		what |= PURPLE_INPUT_WRITE;
	w->call(w->data, g_io_channel_unix_get_fd(channel), what);
	return TRUE;
}

static guint watch(gint fd, PurpleInputCondition what, PurpleInputFunction call, gpointer data)
{
	GIOCondition condition = G_IO_HUP | G_IO_ERR | G_IO_NVAL;
	if (what & PURPLE_INPUT_READ)
		condition |= G_IO_IN;
	if (what & PURPLE_INPUT_WRITE)
		condition |= G_IO_OUT;
	Watch *w = g_new(Watch, 1);
	w->call = call;
	w->data = data;
	GIOChannel *channel = g_io_channel_unix_new(fd);
	guint id = g_io_add_watch_full(channel, G_PRIORITY_DEFAULT, condition, ready, w, g_free);
	g_io_channel_unref(channel);
	return id;
}

static PurpleEventLoopUiOps events = {
	.timeout_add = g_timeout_add,
	.timeout_remove = g_source_remove,
	.input_add = watch,
	.input_remove = g_source_remove,
	.timeout_add_seconds = g_timeout_add_seconds,
};

/* What the library tells its user. Whoever would open a window returns it, to be closed by; there are none. */

static int window;

static void *authorize(PurpleAccount *a, const char *who, const char *id, const char *alias, const char *message,
	gboolean on_list, PurpleAccountRequestAuthorizationCb allow, PurpleAccountRequestAuthorizationCb deny, void *data)
{
	Asked *asked = g_new(Asked, 1);
	asked->allow = allow;
	asked->data = data;
	g_hash_table_insert(asking, g_strdup(who), asked);
	tell("asked %s", who);
	return asked;
}

static PurpleAccountUiOps accounts = {.request_authorize = authorize};

static void *notified(PurpleNotifyMsgType type, const char *title, const char *primary, const char *secondary)
{
	tell("notice %s %s", primary ? primary : "", secondary ? secondary : "");
	return &window;
}

static void *informed(PurpleConnection *gc, const char *who, PurpleNotifyUserInfo *info)
{
	char *text = purple_notify_user_info_get_text_with_newline(info, ";");
	tell("info %s %s", who, text);
	g_free(text);
	return &window;
}

static PurpleNotifyUiOps notices = {.notify_message = notified, .notify_userinfo = informed};

static void *asked_to_act(const char *title, const char *primary, const char *secondary, int standard,
	PurpleAccount *a, const char *who, PurpleConversation *conv, void *data, size_t count, va_list actions)
{
	tell("question %s %s", primary ? primary : "", secondary ? secondary : "");
	return &window;
}

static PurpleRequestUiOps requests = {.request_action = asked_to_act};

static void signed_on(PurpleConnection *gc) { tell("online %s", purple_account_get_username(account)); }
static void signed_off(PurpleConnection *gc) { tell("offline"); }

static void failed(PurpleConnection *gc, PurpleConnectionError why, const char *text)
{
	tell("failed %d %s", why, text);
}

static void received(PurpleAccount *a, char *sender, char *message, PurpleConversation *conv, PurpleMessageFlags flags)
{
	char *text = purple_markup_strip_html(message);
	tell("heard %s %s", sender, text);
	g_free(text);
}

/* A message that came back. The library shows it only if the error has the body of the message, which it need not have
 * (RFC 6120 §8.3.1). */
static gboolean bounced(PurpleConnection *gc, const char *type, const char *id, const char *from, const char *to, xmlnode *message)
{
	if (g_strcmp0(type, "error") == 0) {
		xmlnode *error = xmlnode_get_child(message, "error"), *child = error ? error->child : NULL;
		while (child && child->type != XMLNODE_TYPE_TAG)
			child = child->next;
		tell("bounced %s %s", from, child ? child->name : "");
	}
	return FALSE;
}

static void present(PurpleBuddy *b, const char *what)
{
	PurpleStatus *s = purple_presence_get_active_status(purple_buddy_get_presence(b));
	const char *text = purple_status_get_attr_string(s, "message");
	tell("%s %s %s %s", what, purple_buddy_get_name(b), purple_status_get_id(s), text ? text : "");
}

static void buddy_on(PurpleBuddy *b) { present(b, "appears"); }
static void buddy_off(PurpleBuddy *b) { present(b, "leaves"); }
static void buddy_status(PurpleBuddy *b, PurpleStatus *before, PurpleStatus *now) { present(b, "presence"); }

static void listen_to(void)
{
	static int me;
	void *connections = purple_connections_get_handle(), *conversations = purple_conversations_get_handle(), *list = purple_blist_get_handle();
	purple_signal_connect(connections, "signed-on", &me, PURPLE_CALLBACK(signed_on), NULL);
	purple_signal_connect(connections, "signed-off", &me, PURPLE_CALLBACK(signed_off), NULL);
	purple_signal_connect(connections, "connection-error", &me, PURPLE_CALLBACK(failed), NULL);
	purple_signal_connect(conversations, "received-im-msg", &me, PURPLE_CALLBACK(received), NULL);
	purple_signal_connect(purple_find_prpl("prpl-jabber"), "jabber-receiving-message", &me, PURPLE_CALLBACK(bounced), NULL);
	purple_signal_connect(list, "buddy-signed-on", &me, PURPLE_CALLBACK(buddy_on), NULL);
	purple_signal_connect(list, "buddy-signed-off", &me, PURPLE_CALLBACK(buddy_off), NULL);
	purple_signal_connect(list, "buddy-status-changed", &me, PURPLE_CALLBACK(buddy_status), NULL);
}

/* What its user tells the library. */

static void add(const char *who, const char *rest)
{
	PurpleBuddy *b = purple_find_buddy(account, who);
	if (!b) {
		b = purple_buddy_new(account, who, NULL);
		purple_blist_add_buddy(b, NULL, NULL, NULL);
	}
	purple_account_add_buddy(account, b);
}

static void remove_buddy(const char *who, const char *rest)
{
	PurpleBuddy *b = purple_find_buddy(account, who);
	if (!b)
		return tell("nobody %s", who);
	purple_account_remove_buddy(account, b, purple_buddy_get_group(b));
	purple_blist_remove_buddy(b);
}

static void allow(const char *who, const char *rest)
{
	Asked *asked = g_hash_table_lookup(asking, who);
	if (!asked)
		return tell("nobody %s", who);
	asked->allow(asked->data);
	g_hash_table_remove(asking, who);
}

static void status(const char *id, const char *text)
{
	if (*text)
		purple_account_set_status(account, id, TRUE, "message", text, NULL);
	else
		purple_account_set_status(account, id, TRUE, NULL);
}

static void say(const char *who, const char *text)
{
	PurpleConversation *conv = purple_find_conversation_with_account(PURPLE_CONV_TYPE_IM, who, account);
	if (!conv)
		conv = purple_conversation_new(PURPLE_CONV_TYPE_IM, account, who);
	purple_conv_im_send(PURPLE_CONV_IM(conv), text);
}

static void block(const char *who, const char *rest) { purple_privacy_deny_add(account, who, FALSE); }
static void unblock(const char *who, const char *rest) { purple_privacy_deny_remove(account, who, FALSE); }
static void info(const char *who, const char *rest) { serv_get_info(purple_account_get_connection(account), who); }

/* The card has blanks, so that it is what of the line was split, joined. */
static void card(const char *first, const char *rest)
{
	char *xml = g_strconcat(first, *rest ? " " : "", rest, NULL);
	purple_account_set_user_info(account, xml);
	serv_set_info(purple_account_get_connection(account), xml);
	g_free(xml);
}

static void reconnect(const char *first, const char *rest) { purple_account_connect(account); }
static void quit(const char *first, const char *rest) { g_main_loop_quit(loop); }

static const struct {
	const char *name;
	void (*run)(const char *first, const char *rest);
} orders[] = {
	{"add", add}, {"remove", remove_buddy}, {"allow", allow}, {"status", status}, {"say", say}, {"block", block},
	{"unblock", unblock}, {"info", info}, {"card", card}, {"connect", reconnect}, {"quit", quit},
};

static void obey(char *line)
{
	char **words = g_strsplit(line, " ", 3);
	guint n = g_strv_length(words), i;
	for (i = 0; n && i < G_N_ELEMENTS(orders); i++)
		if (g_strcmp0(words[0], orders[i].name) == 0) {
			orders[i].run(n > 1 ? words[1] : "", n > 2 ? words[2] : "");
			break;
		}
	if (i == G_N_ELEMENTS(orders))
		tell("no order %s", line);
	g_strfreev(words);
}

static gboolean told(GIOChannel *input, GIOCondition condition, gpointer data)
{
	char *line = NULL;
	if (g_io_channel_read_line(input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
		g_main_loop_quit(loop);
		return FALSE;
	}
	g_strchomp(line);
	if (!purple_account_get_password(account)) {
		purple_account_set_password(account, line);
		purple_savedstatus_activate_for_account(purple_savedstatus_new(NULL, PURPLE_STATUS_AVAILABLE), account);
		purple_account_set_enabled(account, "interop", TRUE);
	} else {
		obey(line);
	}
	g_free(line);
	return TRUE;
}

int main(int argc, char *argv[])
{
	if (argc != 5) {
		fprintf(stderr, "usage: purple JID HOST:PORT DIRECTORY-OF-AUTHORITIES DIRECTORY\n");
		return 2;
	}
	char **at = g_strsplit(argv[2], ":", 2);
	loop = g_main_loop_new(NULL, FALSE);
	asking = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	purple_util_set_user_dir(argv[4]);
	purple_debug_set_enabled(g_getenv("PURPLE_DEBUG") != NULL);
	purple_eventloop_set_ui_ops(&events);
	purple_accounts_set_ui_ops(&accounts);
	purple_notify_set_ui_ops(&notices);
	purple_request_set_ui_ops(&requests);
	if (!purple_core_init("interop")) {
		fprintf(stderr, "libpurple does not start\n");
		return 1;
	}
	purple_certificate_add_ca_search_path(argv[3]);
	purple_set_blist(purple_blist_new());
	listen_to();
	account = purple_account_new(argv[1], "prpl-jabber");
	purple_account_set_string(account, "connect_server", at[0]);
	purple_account_set_int(account, "port", atoi(at[1]));
	purple_account_set_string(account, "connection_security", "require_tls");
	purple_accounts_add(account);
	GIOChannel *input = g_io_channel_unix_new(STDIN_FILENO);
	g_io_add_watch(input, G_IO_IN | G_IO_HUP, told, NULL);
	g_main_loop_run(loop);
	purple_core_quit();
	return 0;
}
