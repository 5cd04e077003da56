# SMTP: lines with numbers, as FTP and POP have.
/usr/bin/python3 -W ignore - "$PORT" <<'PYTHON'
import asyncore, smtpd, smtplib, sys, threading

class Quiet(smtpd.SMTPServer):
    def process_message(self, *args, **kwargs):
        pass

port = int(sys.argv[1])
server = Quiet(("127.0.0.1", port), None)
threading.Thread(target=asyncore.loop, kwargs={"timeout": 0.1}, daemon=True).start()
client = smtplib.SMTP("127.0.0.1", port)
for n in range(3):
    client.sendmail("a@example.org", ["b@example.org"], "Subject: order %d\n\nGET well soon\nPING\nset x 0 0 5\n" % n)
client.quit()
PYTHON
