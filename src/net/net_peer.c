/*
 * net_peer.c - an address as text.
 */
#include "net_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

void net_peer_text(int fd, char text[NET_PEER_BYTES])
{
    struct sockaddr_storage address;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
    socklen_t len = sizeof(address);
    char host[INET6_ADDRSTRLEN];

    if (getpeername(fd, (struct sockaddr *)&address, &len) != 0)
        snprintf(text, NET_PEER_BYTES, "a client");
    else if (address.ss_family == AF_INET)
        snprintf(text, NET_PEER_BYTES, "%s:%d", inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)),
                 ntohs(v4->sin_port));
    else if (address.ss_family == AF_INET6)
        snprintf(text, NET_PEER_BYTES, "[%s]:%d", inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)),
                 ntohs(v6->sin6_port));
    else
        snprintf(text, NET_PEER_BYTES, "a local client");
}
