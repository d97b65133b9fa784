dnl What to add at the end of Sendmail's sendmail.mc, behind the MAILER lines, so that it asks postern-milter
dnl (Sendmail 8.14 and later). doc/flagging.md says more. Blanks within the rules (R...) are tabs.

dnl Where postern-milter listens. F=T: while it is away mail is put off. Without it mail would go on, not flagged.
INPUT_MAIL_FILTER(`postern', `S=inet:8463@127.0.0.1, F=T, T=C:30s;S:30s;R:60s;E:5m')dnl

dnl The tags are those of postern.conf (tag, optional_tag, delimiter).
LOCAL_CONFIG
Krequiretls regex -aYES [+]requiretls"?@

LOCAL_RULESETS
# Only over verified TLS: until something can see to that, back to the sender. This set is asked when a recipient is to
# be delivered, whatever its mailer. (The feature compat_check has it, too: use one of them.)
Scheck_compat
R$* $| $+ @ $=w			$@ OK		our own
R$* $| < $+ @ $=w >		$@ OK
R$* $| $*			$: $(requiretls $2 $: NO $)
RYES				$#error $@ 5.7.30 $: "550 REQUIRETLS support required"

SEnvToRelaxed
R$+ + tlsoptional < @ $* > $*	$: $1 < @ $2 > $3
R$*				$@ $>EnvToSMTP $1

LOCAL_RULE_0
# Delivery rather than TLS (TLS-Required: No): past the mailertable, which knows domains only.
R$+ + tlsoptional < @ $+ > $*	$#relaxed $@ $2 $: $1 + tlsoptional < @ $2 > $3

MAILER_DEFINITIONS
# As esmtp, and takes the tag off.
Mrelaxed,	P=[IPC], F=mDFMuXa, S=EnvFromSMTP/HdrFromSMTP, R=EnvToRelaxed/HdrFromSMTP, E=\r\n, L=990, T=DNS/RFC822/SMTP,
		A=TCP $h
