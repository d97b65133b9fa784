-- milter.lua - for miltertest: messages to postern-milter, and what it must ask for. Prints a line "ok WHAT" or "not ok WHAT" for each check.
-- Globals (-D): sock, the milter's socket; part, which of the parts below; actions, for the part offer.
--
-- miltertest does not see what the sender is changed to, nor recipients that are added with parameters: t/milter/session.sh.t does.

function is(what, got, wanted)
	if got == wanted then
		mt.echo("ok " .. what)
	else
		mt.echo("not ok " .. what .. ": got " .. tostring(got) .. ", wanted " .. tostring(wanted))
	end
end

function session(ip)
	local conn = mt.connect("unix:" .. sock)
	is("negotiation", mt.negotiate(conn, nil, nil, nil), nil)
	is("a client", mt.conninfo(conn, "client.test", ip or "192.0.2.1"), nil)
	return conn
end

-- The message up to its end; header is a list of pairs. Returns the reply to the end.
function message(conn, from, to, header, body)
	mt.mailfrom(conn, table.unpack(from))
	for _, rcpt in ipairs(to) do
		mt.rcptto(conn, table.unpack(rcpt))
	end
	for _, field in ipairs(header or {{"Subject", "a subject"}}) do
		mt.header(conn, field[1], field[2])
	end
	mt.eoh(conn)
	for _, piece in ipairs(body or {}) do
		mt.bodystring(conn, piece)
	end
	mt.eom(conn)
	return mt.getreply(conn)
end

-- Of recipients it can be asked by address only.
function nothing(conn, what)
	is(what .. ": no recipient is deleted", mt.eom_check(conn, MT_RCPTDELETE, "<u@far.test>"), false)
	for name, change in pairs({added = MT_HDRADD, inserted = MT_HDRINSERT, changed = MT_HDRCHANGE, deleted = MT_HDRDELETE}) do
		is(what .. ": no field is " .. name, mt.eom_check(conn, change), false)
	end
	is(what .. ": no other body", mt.eom_check(conn, MT_BODYCHANGE), false)
end

parts = {}

function parts.flags()
	local conn = session()
	for name, action in pairs({ADDHDRS = SMFIF_ADDHDRS, CHGHDRS = SMFIF_CHGHDRS, DELRCPT = SMFIF_DELRCPT, ADDRCPT_PAR = SMFIF_ADDRCPT_PAR, CHGFROM = SMFIF_CHGFROM}) do
		is("asks for " .. name, mt.test_action(conn, action), true)
	end
	is("asks for no other body", mt.test_action(conn, SMFIF_CHGBODY), false)
	is("needs no body", mt.test_option(conn, SMFIP_NOBODY), true)
	is("nothing to do", message(conn, {"<s@client.test>", "SIZE=100"}, {{"<u@far.test>"}}), SMFIR_CONTINUE)
	nothing(conn, "nothing to do")
	is("REQUIRETLS", message(conn, {"<s@client.test>", "REQUIRETLS"}, {{"<u@far.test>", "NOTIFY=NEVER"}, {"<l@ours.test>"}, {"<v+requiretls@far.test>"}}), SMFIR_CONTINUE)
	is("REQUIRETLS" .. ": the recipient is deleted", mt.eom_check(conn, MT_RCPTDELETE, "<u@far.test>"), true)
	is("the local one stays", mt.eom_check(conn, MT_RCPTDELETE, "<l@ours.test>"), false)
	is("the tagged one stays", mt.eom_check(conn, MT_RCPTDELETE, "<v+requiretls@far.test>"), false)
	is("a field says why", mt.getheader(conn, "X-Postern", 0), "requiretls; by=mail-from; recipients=2")
	is("the next message", message(conn, {"<s@client.test>"}, {{"<u@far.test>"}}), SMFIR_CONTINUE)
	nothing(conn, "the next message")
	mt.mailfrom(conn, "<s@client.test>", "REQUIRETLS")
	mt.rcptto(conn, "<v+requiretls@far.test>")
	mt.header(conn, "TLS-Required", "No")
	is("aborted", mt.abort(conn), nil)
	is("the next one", message(conn, {"<s@client.test>"}, {{"<u@far.test>"}}), SMFIR_CONTINUE)
	nothing(conn, "the one after an aborted one")
	is("a tag", message(conn, {"<>"}, {{"<u@far.test>"}, {"<v+requiretls@far.test>"}}, {{"X-Postern", "forged"}}), SMFIR_CONTINUE)
	is("a tag" .. ": the recipient is deleted", mt.eom_check(conn, MT_RCPTDELETE, "<u@far.test>"), true)
	is("a forged field goes", mt.eom_check(conn, MT_HDRDELETE, "X-Postern"), true)
	is("TLS-Required: No", message(conn, {"<s@client.test>"}, {{"<u@far.test>"}}, {{"TLS-Required", "No"}}), SMFIR_CONTINUE)
	is("TLS-Required: No" .. ": the recipient is deleted", mt.eom_check(conn, MT_RCPTDELETE, "<u@far.test>"), true)
	is("the field stays", mt.eom_check(conn, MT_HDRDELETE), false)
	mt.mailfrom(conn, "<s@client.test>", "REQUIRETLS")
	mt.rcptto(conn, "<u@far.test>")
	mt.disconnect(conn, false) -- in the midst of it
	conn = session("unspec")
	is("another session", message(conn, {"<s@client.test>"}, {{"<u@far.test>"}}), SMFIR_CONTINUE)
	nothing(conn, "another session")
	mt.disconnect(conn)
end

-- An MTA that offers these actions (-D actions). Not as its manual says, the steps go before them. It may end by SIGPIPE.
function parts.offer()
	local conn = mt.connect("unix:" .. sock)
	mt.negotiate(conn, nil, nil, tonumber(actions))
	if message(conn, {"<s@client.test>", "REQUIRETLS"}, {{"<u@far.test>"}}) == SMFIR_CONTINUE then
		mt.echo("served")
	end
end

function parts.rules()
	local conn = session()
	local piece = string.rep(string.rep("x", 98) .. "\r\n", 600)
	is("the body is asked for", mt.test_option(conn, SMFIP_NOBODY), false)
	is("without the word", message(conn, {"<s@client.test>"}, {{"<u@far.test>"}}, nil, {piece}), SMFIR_CONTINUE)
	nothing(conn, "without the word")
	is("with it", message(conn, {"<s@client.test>"}, {{"<u@far.test>"}}, nil, {piece, "it is SEC", "RET\r\n"}), SMFIR_CONTINUE)
	is("with it" .. ": the recipient is deleted", mt.eom_check(conn, MT_RCPTDELETE, "<u@far.test>"), true)
	is("reject", message(conn, {"<s@client.test>"}, {{"<u@far.test>"}}, {{"Subject", "virus"}}, {}), SMFIR_REPLYCODE)
	is("its reply", mt.eom_check(conn, MT_SMTPREPLY, "550", "5.7.1", "no"), true)
	mt.mailfrom(conn, "<s@client.test>")
	mt.rcptto(conn, "<u@far.test>")
	mt.header(conn, "Subject", "long")
	mt.eoh(conn)
	local sent = 0
	repeat
		mt.bodystring(conn, piece)
		sent = sent + 1
	until mt.getreply(conn) == SMFIR_SKIP or sent == 100
	is("enough of a long body", sent, 5)
	mt.eom(conn)
	is("a long body", mt.getreply(conn), SMFIR_CONTINUE)
	mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "berta")
	is("a user", message(conn, {"<s@client.test>"}, {{"<u@far.test>"}}, nil, {}), SMFIR_CONTINUE)
	is("a user" .. ": the recipient is deleted", mt.eom_check(conn, MT_RCPTDELETE, "<u@far.test>"), true)
	mt.disconnect(conn)
end

function parts.clients()
	local conn = session("198.51.100.9")
	mt.mailfrom(conn, "<s@client.test>")
	is("without TLS", mt.getreply(conn), SMFIR_REPLYCODE)
	mt.macro(conn, SMFIC_MAIL, "{tls_version}", "TLSv1.3")
	mt.mailfrom(conn, "<s@client.test>")
	is("with TLS", mt.getreply(conn), SMFIR_CONTINUE)
	mt.disconnect(conn)
	conn = session("192.0.2.1")
	mt.mailfrom(conn, "<s@client.test>")
	is("another client", mt.getreply(conn), SMFIR_CONTINUE)
	mt.disconnect(conn)
end

local well, why = pcall(parts[part])
mt.echo(well and "end" or "not ok " .. why)
