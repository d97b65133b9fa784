divert(-1)
dnl Postern for Sendmail: TLS policies of policyd, postern-milter, and flagged mail to postern-relayd. For Sendmail 8.17 as
dnl Debian 12 builds it (SOCKETMAP, MAP_REGEX, _FFR_MTA_STS, _FFR_TLS_ALTNAMES). One line at the end of sendmail.mc, behind the
dnl MAILER lines:
dnl
dnl     include(`/usr/share/postern/sendmail/postern.m4')dnl
dnl
dnl doc/sendmail.md says what it does, and what cannot be done. These can be defined before that line:
dnl
dnl     POSTERN_POLICYD    where policyd answers             inet:8461@127.0.0.1      or local:/run/postern/policyd.sock
dnl     POSTERN_MILTER     where postern-milter listens      inet:8463@127.0.0.1      or local:/run/postern/milter.sock
dnl     POSTERN_RELAYD     where relayd listens: address, blank, port     [127.0.0.1] 8689
dnl
dnl Blanks within the rules (R...) are tabs. The tags are those of postern.conf (tag, optional_tag, delimiter).

ifdef(`POSTERN_POLICYD', `', `define(`POSTERN_POLICYD', `inet:8461@127.0.0.1')')
ifdef(`POSTERN_MILTER', `', `define(`POSTERN_MILTER', `inet:8463@127.0.0.1')')
ifdef(`POSTERN_RELAYD', `', `define(`POSTERN_RELAYD', `[127.0.0.1] 8689')')

define(`POSTERN_CLASH', `errprint(`*** ERROR: postern.m4: sendmail.mc has $1 as well; doc/sendmail.md says what to do
')m4exit(1)')
ifdef(`_MAILER_DEFINED_', `', `POSTERN_CLASH(`no MAILER line before the include, or none')')
ifdef(`_MTA_STS_', `POSTERN_CLASH(`FEATURE(sts)')')
ifdef(`_TLS_SESSION_FEATURES_', `POSTERN_CLASH(`FEATURE(tls_session_features)')')
ifdef(`_LOCAL_CLT_FEATURES_', `POSTERN_CLASH(`LOCAL_CLT_FEATURES')')
ifdef(`_LOCAL_TRY_TLS_', `POSTERN_CLASH(`LOCAL_TRY_TLS')')
ifdef(`_LOCAL_TLS_SERVER_', `POSTERN_CLASH(`LOCAL_TLS_SERVER')')
ifdef(`_LOCAL_TLS_RCPT_', `POSTERN_CLASH(`LOCAL_TLS_RCPT')')

dnl Certificates of mail servers come from these authorities (package ca-certificates), unless sendmail.mc names others.
ifdef(`confCACERT', `', `define(`confCACERT', `/etc/ssl/certs/ca-certificates.crt')')
ifdef(`confCACERT_PATH', `', `define(`confCACERT_PATH', `/etc/ssl/certs')')

dnl No connection is kept for the next message: the names in a certificate are known to the rules from the last handshake only, and
dnl that may have been with another server.
define(`confMCI_CACHE_SIZE', `0')

dnl A host that will not do for the policy of one domain counts as down, also for other domains that have it: for the rest of a queue run,
dnl and, with this directory (Debian has it), half an hour for all processes.
undefine(`confHOST_STATUS_DIRECTORY')

dnl relayd has as much patience with the next server as transaction_timeout says (15m); Sendmail needs more. (Debian has 2m.)
define(`confTO_DATAINIT', `20m')

dnl F=T: while the milter is away mail is put off. Without it mail would go on, not flagged.
INPUT_MAIL_FILTER(`postern', `S='POSTERN_MILTER`, F=T, T=C:30s;S:30s;R:60s;E:5m')

LOCAL_CONFIG
# --- Postern. No words that m4 knows may stand in comments from here on ---
# So that the names in a server's certificate are known to the rules, and the server is told which name is wanted (SNI)
O SetCertAltnames=true
O StrictTransportSecurity=true
# policyd. The name of the map is part of the question. What cannot be answered now ends in <TMPF>.
Kpostfix socket -d60 -T<TMPF> POSTERN_POLICYD
Kposternset macro
Kposternmatch regex -a: -s1 ^match=([-a-z0-9_.:]+)$
Kposterntag regex -aYES [+]requiretls"?<?@
Kposternrelaxed regex -aYES [^"][+]tlsoptional"?<?@
# What ${verify} says when there is TLS, and when the certificate is from a known authority and valid now
C{PosternTls}OK TRUSTED FAIL NO NOT
C{PosternVerified}OK TRUSTED

LOCAL_RULE_0
# Flagged mail to relayd, mail with TLS-Required: No past policies; before the mailertable, which knows domains only. Not our own.
R$+ < @ $+ > $*			$: < $(posterntag $1 < @ $2 > $: NO $) > < $(posternrelaxed $1 < @ $2 > $: NO $) > $1 < @ $2 > $3
R< $- > < $- > $+ < @ $=w . > $*	$: $3 < @ $4 . > $5
R< YES > < $- > $+ < @ $+ . > $*	$#requiretls $@ $3 $: $2 < @ $3 . > $4
R< YES > < $- > $+ < @ $+ > $*	$#requiretls $@ $3 $: $2 < @ $3 > $4
R< NO > < YES > $+ < @ $+ > $*	$#relaxed $@ $2 $: $1 < @ $2 > $3
R< NO > < NO > $*		$: $1

LOCAL_CLT_FEATURES
# The first set that is asked of a connection. policyd may have closed the last one, as nobody asked for a while; what a look-up that
# fails does to this set is nothing, but the set try_tls would go on without TLS.
R$*				$: < $&{PosternWay} > $>PosternAnswer $&h
R< NO > none $*			$: YES
R< $* > $*			$: NO
R$*				$: $(posternset {PosternNone} $@ $1 $) OK

LOCAL_TRY_TLS
R$*				$: $&{PosternNone}
RYES				$#error $@ 5.7.1 $: "550 no TLS to this server, says policyd"

LOCAL_TLS_SERVER
# Before the sender is named, for the domain that the connection was made for. A host that will not do is left for the next one.
R$*				$@ $>PosternCheck $&h

LOCAL_TLS_RCPT
# For each recipient: there may be some of other domains with the same MX hosts.
R$*				$: $>PosternHop $1
R$*				$@ $>PosternCheck $1

LOCAL_RULESETS
# Asked when a recipient is to be delivered, by any mailer. What the TLS rules are to know of it: {PosternWay} is requiretls or
# relaxed, NO for all other mail. And no flagged mail goes past relayd, whatever else is in the configuration.
Scheck_compat
R$* $| $*			$: < $(posternrelaxed $2 $: NO $) > $2
R< $- > $*			$: $(posternset {PosternWay} $@ $1 $) $2
R$+ @ $=w			$@ OK				our own
R< $+ @ $=w >			$@ OK
R$*				$: < $(posterntag $1 $: NO $) > $1
R< NO > $*			$@ OK
R< $* > $*			$: $>canonify $2
R$*				$: TO $| $>parse $1
RTO $| $# requiretls $*		$@ $(posternset {PosternWay} $@ requiretls $) OK
R$*				$#error $@ 4.3.5 $: "451 flagged mail would be led past relayd"

# What policyd says of a next hop
SPosternAnswer
R$+ .				$: $1
R$* : $*			$: [ $&{server_name} ]		a list of hosts
R$*				$@ $(postfix $1 $: NOTFOUND $)

# The next hop of a recipient: its domain, or where a mailertable or a smart host leads
SPosternHop
R$*				$: $>canonify $1
R$+ < @ $+ >			$: $(posternset {PosternDomain} $@ $2 $) $1 < @ $2 >
R$*				$: HOP $| $>parse $1
RHOP $| $# $- $- $&{PosternDomain} $- $*	$@ $&{PosternDomain}
R$*				$@ $&h

# May mail for that next hop go by this connection? What cannot be seen to waits in the queue.
SPosternCheck
R$+ .				$: $1
R$*				$: $&{PosternWay} $| $1
RNO $| $*			$: $1 $| $>PosternAnswer $1
R$- $| $*			$@ OK				to relayd, or relaxed
R$* $| $* < TMPF >		$#error $@ 4.7.5 $: "451 client TLS configuration problem: policyd cannot say what goes for " $1 " now"
R$* $| NOTFOUND			$@ OK
R$* $| none $*			$@ OK
R$* $| may			$@ OK
R$*				$: $&{verify} $| $1
RNONE $| $*			$#error $@ 4.7.4 $: "451 TLS is required, but was not offered by host " $&{server_name}
R$={PosternTls} $| $* $| encrypt	$@ OK
R$={PosternTls} $| $* $| dane $*	$#error $@ 4.7.5 $: "451 DANE goes for " $2 ", which this Sendmail cannot check"
R$={PosternTls} $| $* $| dane-only $*	$#error $@ 4.7.5 $: "451 DANE goes for " $2 ", which this Sendmail cannot check"
R$={PosternVerified} $| $* $| verify	$@ $>PosternSan
R$={PosternVerified} $| $* $| secure	$@ $>PosternNear $2
R$={PosternVerified} $| $* $| secure $+ servername=hostname	$@ $>PosternNamed $(posternmatch $3 $: ? $)
R$={PosternTls} $| $* $| encrypt $*	$#error $@ 4.7.5 $: "451 this Sendmail cannot do what policyd says of " $2 ": encrypt " $3
RFAIL $| $* $| $*		$#error $@ 4.7.5 $: "451 Server certificate not verified: that of " $&{server_name} " is not trusted, or not valid now"
R$={PosternTls} $| $* $| $*	$#error $@ 4.7.5 $: "451 this Sendmail cannot do what policyd says of " $2 ": " $3
R$* $| $*			$#error $@ 4.7.5 $: "451 Cannot start TLS with " $&{server_name} ": " $1

# The server must be in a list such as :mx.example.com:.example.net: (.name: one label before it)
SPosternNamed
R$*				$: $(posternset {PosternName} $@ $&{server_name} $) :$1
R$* : $&{PosternName} : $*	$@ $>PosternSan
R$*				$: $1 $| $&{server_name}
R$* $| $- . $+			$: $(posternset {PosternName} $@ . $3 $) $1
R$* : $&{PosternName} : $*	$@ $>PosternSan
R$*				$#error $@ 4.7.5 $: "451 Server certificate not verified: the policy does not name " $&{server_name}

# The server must be the next hop, or below it
SPosternNear
R$*				$: $(posternset {PosternName} $@ $1 $) $&{server_name}
R$&{PosternName}		$@ $>PosternSan
R$+ . $&{PosternName}		$@ $>PosternSan
R$*				$#error $@ 4.7.5 $: "451 Server certificate not verified: " $&{server_name} " is not below " $&{PosternName}

# The name of the server must be among the names in its certificate
SPosternSan
R$*				$: $&{server_name}
R$+ .				$: $1
R$={cert_altnames}		$@ OK
R$- . $+			$: * . $2
R$={cert_altnames}		$@ OK
R$*				$#error $@ 4.7.5 $: "451 Server certificate not verified: hostname mismatch, it is not for " $&{server_name}

# Servers of which policyd demands something are told which name is wanted.
Stls_clt_features
R$*				$: $>PosternAnswer $&h
Rverify $*			$: SNI
Rsecure $*			$: SNI
RSNI				$: $(posternset {sts_sni} $@ $&{server_name} $) SNI
RSNI				$@ servername=hostname
R$*				$@ ""

SEnvToRelaxed
R$+ + tlsoptional < @ $* > $*	$: $1 < @ $2 > $3
R$*				$@ $>EnvToSMTP $1

MAILER_DEFINITIONS
# To relayd by LMTP, the tag as it is. A transaction for each domain (0: no MX records are looked up), so that one that is slow holds no other.
Mrequiretls,	P=[IPC], F=0mDFMuXaz, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP/HdrFromSMTP, E=\r\n, L=990, T=DNS/RFC822/SMTP,
		A=TCP POSTERN_RELAYD
# As esmtp, and takes the tag off.
Mrelaxed,	P=[IPC], F=mDFMuXa, S=EnvFromSMTP/HdrFromSMTP, R=EnvToRelaxed/HdrFromSMTP, E=\r\n, L=990, T=DNS/RFC822/SMTP,
		A=TCP $h
divert(0)dnl
