#include <curl/curl.h>

// curl_easy_setopt and its kin take any type, which Swift can't call: one function for each type that is used.

typedef size_t (*gw_curl_transfer)(char *data, size_t size, size_t count, void *context);
typedef int (*gw_curl_seek)(void *context, curl_off_t offset, int origin);
typedef int (*gw_curl_before)(void *context, char *there, char *here, int there_port, int here_port);

static inline CURLcode gw_curl_set_long(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode gw_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode gw_curl_set_text(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode gw_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode gw_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode gw_curl_set_transfer(CURL *handle, CURLoption option, gw_curl_transfer value) {
  return curl_easy_setopt(handle, option, value);
}
// By number: the names that CURLOPT_PROTOCOLS_STR takes are understood from 7.85 on only, and libcurl 7.81 has to do
// (ci/oldest-libraries). An older one would refuse the option, and then nothing would be ruled out.
static inline CURLcode gw_curl_set_http_only(CURL *handle) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  return curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#pragma GCC diagnostic pop
}
static inline CURLcode gw_curl_set_seek(CURL *handle, gw_curl_seek value) {
  return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}
static inline CURLcode gw_curl_set_before(CURL *handle, gw_curl_before value) {
  return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, value);
}
static inline CURLcode gw_curl_status(CURL *handle, long *status) {
  return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, status);
}
static inline CURLcode gw_curl_sent(CURL *handle, long *bytes) {
  return curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, bytes);
}
static inline CURLcode gw_curl_multi_result(CURLMsg *message) { return message->data.result; }
