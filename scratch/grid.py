import sys
exec(open("/tmp/w/sim.py").read().split('if __name__')[0])
import math
W=[float(x) for x in os.environ["W"].split(",")]
def joined(c,a,r):
    c=min(max(c,1e-3),1-1e-3); z=W[0]*math.log(c/(1-c))+W[1]*max(-6,min(6,a))+W[2]*max(-6,min(6,r or 0))+W[3]
    return 1/(1+math.exp(-z))
grounding.joined=joined
def variations(s,ret,sys_,gold):
    for sure in [float(x) for x in os.environ.get("SURE","0.8,1.0").split(",")]:
      for mc in [float(x) for x in os.environ.get("MC","0.3,0.4,0.5,0.6").split(",")]:
        for my in [float(x) for x in os.environ.get("MY","-1,0,1").split(",")]:
            e=Engine(upd(s,{"answer.sure":str(sure),"answer.min_confidence":str(mc),"answer.min_yes":str(my)}),ret,Cached())
            tab,out=measure(e,gold,sys_.texts)
            def sh(d,o): n=sum(tab[d].values()); return tab[d][o]/n if n else 0
            same=[d for d in tab if "←" in d and d[:2]==d[-2:]]; acr=[d for d in tab if "←" in d and d[:2]!=d[-2:]]; non=[d for d in tab if d.startswith("none")]
            print("sure",sure,"mc",mc,"my",my,"|",*(f"{d}: r{sh(d,'right'):.2f} i{sh(d,'incomplete'):.2f} w{sh(d,'wrong'):.2f} x{sh(d,'refused'):.2f}" for d in sorted(same+acr)),"| none",*(f"{sh(d,'refused')+sh(d,'right'):.2f}" for d in sorted(non)),flush=True)
    yield 1
list(go(s))
