/* A headless Chromium, spoken to through its DevTools pipe: messages in JSON, each ended by a zero
 * byte, to its descriptor 3 and from its descriptor 4. */
#ifndef TESTS_CLI_BROWSER_H
#define TESTS_CLI_BROWSER_H

#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    pid_t process;
    int to;
    FILE *from;
    int id; /* of the last command */
    char session[64];
} browser;

/* The answer's "result"; events that come before it are skipped.  NULL when the browser is gone. */
static inline json_t *browser_ask(browser *b, const char *method, json_t *parameters)
{
    char *answer = NULL;
    size_t room = 0;
    json_t *command = json_pack("{s:i, s:s, s:o}", "id", ++b->id, "method", method, "params",
                                parameters);
    if (b->session[0] != '\0')
        json_object_set_new(command, "sessionId", json_string(b->session));
    char *text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    bool sent = write(b->to, text, strlen(text) + 1) == (ssize_t)strlen(text) + 1;
    free(text);
    json_t *result = NULL;
    while (sent && result == NULL && getdelim(&answer, &room, '\0', b->from) > 0) {
        json_t *message = json_loads(answer, 0, NULL);
        if (json_integer_value(json_object_get(message, "id")) == b->id)
            result = json_incref(json_object_get(message, "result"));
        json_decref(message);
    }
    free(answer);
    return result;
}

/* What an expression of JavaScript gives, as a text on the heap. */
static inline char *browser_value(browser *b, const char *expression)
{
    json_t *result = browser_ask(b, "Runtime.evaluate",
                                 json_pack("{s:s}", "expression", expression));
    const char *text = json_string_value(
        json_object_get(json_object_get(result, "result"), "value"));
    char *copy = strdup(text == NULL ? "" : text);
    json_decref(result);
    return copy;
}

static inline void browser_key(browser *b, const char *key, const char *text, int number)
{
    static const char *const types[] = {"keyDown", "keyUp"};
    for (int i = 0; i < 2; i++)
        json_decref(
            browser_ask(b, "Input.dispatchKeyEvent",
                        json_pack("{s:s, s:s, s:s, s:i}", "type", types[i], "key", key, "text",
                                  i == 0 ? text : "", "windowsVirtualKeyCode", number)));
}

static inline void browser_attach(browser *b)
{
    json_t *page = NULL, *target;
    size_t i;
    for (int attempt = 0; attempt < 100 && page == NULL; attempt++) {
        json_t *found = browser_ask(b, "Target.getTargets", json_object());
        json_array_foreach(json_object_get(found, "targetInfos"), i, target)
        {
            if (strcmp(json_string_value(json_object_get(target, "type")), "page") == 0)
                page = json_incref(json_object_get(target, "targetId"));
        }
        json_decref(found);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    cr_assert_not_null(page, "the browser has no page");
    json_t *attached = browser_ask(b, "Target.attachToTarget",
                                   json_pack("{s:o, s:b}", "targetId", page, "flatten", 1));
    const char *session = json_string_value(json_object_get(attached, "sessionId"));
    cr_assert_not_null(session);
    snprintf(b->session, sizeof b->session, "%s", session);
    json_decref(attached);
}

/* With the page at that address, loaded. */
static inline browser browser_open(const char *address)
{
    int in[2], out[2];
    browser b = {.id = 0};
    cr_assert(pipe(in) == 0 && pipe(out) == 0);
    b.process = fork();
    cr_assert_geq(b.process, 0);
    if (b.process == 0) {
        int read_end = dup(in[0]), write_end = dup(out[1]); /* neither may be 3 or 4 beforehand */
        read_end = dup2(read_end, 20);
        write_end = dup2(write_end, 21);
        dup2(read_end, 3);
        dup2(write_end, 4);
        for (int other = 5; other < 40; other++)
            close(other);
        freopen("/dev/null", "w", stderr);
        execlp("timeout", "timeout", "120", "chromium", "--headless", "--no-sandbox",
               "--disable-gpu", "--remote-debugging-pipe", "--user-data-dir=profile",
               "--host-resolver-rules=MAP * ~NOTFOUND", address, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    b.to = in[1];
    b.from = fdopen(out[0], "r");
    browser_attach(&b);
    for (int attempt = 0; attempt < 200; attempt++) {
        char *state = browser_value(&b, "location.href.length > 12 ? document.readyState : ''");
        bool ready = strcmp(state, "complete") == 0;
        free(state);
        if (ready)
            return b;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    cr_assert_fail("%s is not loaded", address);
    return b;
}

static inline void browser_close(browser *b)
{
    b->session[0] = '\0';
    json_decref(browser_ask(b, "Browser.close", json_object()));
    close(b->to);
    fclose(b->from);
    waitpid(b->process, NULL, 0);
}

#endif
