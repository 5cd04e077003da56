import socket,struct
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('127.0.0.1',53)); s.settimeout(20)
try:
  while True:
    d,a=s.recvfrom(512); i=12
    while d[i]: i+=d[i]+1
    q=d[12:i+5]; t=struct.unpack('>H',d[i+1:i+3])[0]
    ans=b'\xc0\x0c'+struct.pack('>HHIH',1,1,60,4)+bytes([10,9,8,7]) if t==1 else b''
    s.sendto(d[:2]+b'\x81\x80'+struct.pack('>HHHH',1,1 if ans else 0,0,0)+q+ans,a)
except Exception as e: pass
